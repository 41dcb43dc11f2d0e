defmodule ChatWeb.Endpoint do
  use Phoenix.Endpoint, otp_app: :chat

  socket "/socket", ChatWeb.UserSocket, websocket: [timeout: 45_000]
  socket "/live", Phoenix.LiveView.Socket

  plug Plug.RequestId
  plug ChatWeb.Audit
  plug ChatWeb.Router
end
