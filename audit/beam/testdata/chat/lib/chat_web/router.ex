defmodule ChatWeb.Router do
  use ChatWeb, :router

  pipeline :browser do
    plug :accepts, ["html"]
    plug :count
  end

  scope "/", ChatWeb do
    pipe_through :browser

    live "/", LobbyLive
    resources "/users", UserController, only: [:create, :index]
    post "/reports", ReportController, :create
  end

  defp count(conn, _opts) do
    Task.start(fn -> Chat.Stats.count(conn.request_path) end) # want HC207 "Router.count -> start"
    conn
  end
end
