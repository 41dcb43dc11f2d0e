defmodule ChatWeb.UserController do
  use ChatWeb, :controller

  def create(conn, %{"user" => params}) do
    with {:ok, user} <- Chat.Users.create(params) do
      Task.start(Chat.Mailer, :welcome, [user]) # want HC207 "from a controller action: router -> UserController.create -> start"
      json(conn, %{id: user.id})
    end
  end

  def index(conn, _params) do
    [users, rooms] =
      [&Chat.Users.count/0, &Chat.Rooms.count/0]
      |> Enum.map(&Task.async/1)
      |> Task.await_many()

    json(conn, %{users: users, rooms: rooms})
  end
end
