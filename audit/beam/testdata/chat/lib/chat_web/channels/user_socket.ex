defmodule ChatWeb.UserSocket do
  use Phoenix.Socket

  channel "room:*", ChatWeb.RoomChannel

  @impl true
  def connect(%{"token" => token}, socket, _info), do: Chat.Users.verify(socket, token)

  @impl true
  def id(_socket), do: nil
end
