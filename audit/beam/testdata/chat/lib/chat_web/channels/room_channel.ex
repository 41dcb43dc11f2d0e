defmodule ChatWeb.RoomChannel do
  use ChatWeb, :channel

  alias Chat.Rooms
  alias Chat.Rooms.Room

  @impl true
  def join("room:" <> id, _params, socket) do
    with {:ok, _pid} <- Rooms.open(id) do
      {:ok, assign(socket, :room, id)}
    end
  end

  @impl true
  def handle_in("post", %{"text" => text}, socket) do
    Room.post(socket.assigns.room, text)
    {:reply, :ok, socket}
  end

  def handle_in("preview", %{"urls" => urls}, socket) do
    previews =
      urls
      |> Enum.map(fn url -> Task.async(fn -> Chat.Preview.fetch(url) end) end) # want HC209 "UserSocket -> RoomChannel.handle_in -> async"
      |> Task.await_many()

    {:reply, {:ok, previews}, socket}
  end

  def handle_in("stats", _params, socket) do
    task = Task.async(fn -> Chat.Stats.all() end)
    {:reply, {:ok, Task.await(task)}, socket}
  end
end
