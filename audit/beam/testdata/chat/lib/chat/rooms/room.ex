defmodule Chat.Rooms.Room do
  use GenServer, restart: :transient

  def start_link(opts), do: GenServer.start_link(__MODULE__, opts, name: via(opts[:room_id]))

  def post(room_id, text), do: GenServer.cast(via(room_id), {:post, text})

  defp via(id), do: {:via, Registry, {Chat.RoomRegistry, id}}

  @impl true
  def init(opts) do
    # One helper for each room: it lives and ends with the room.
    {:ok, pid} = Task.start_link(fn -> Chat.History.load(opts[:room_id]) end)
    Process.send_after(self(), :tick, 1_000)
    {:ok, %{room: opts[:room_id], loader: pid, saving: nil}}
  end

  @impl true
  def handle_cast({:post, text}, state) do
    spawn(fn -> Chat.Search.index(text) end) # want HC207 "RoomChannel.handle_in -> Room.post -> Room.handle_cast -> spawn"
    {:noreply, state}
  end

  @impl true
  def handle_info(:tick, state) do
    Task.start(fn -> Chat.History.save(state.room) end)
    Process.send_after(self(), :tick, 1_000)
    {:noreply, state}
  end

  def handle_info({:import, file}, state) do
    Task.async(fn -> Chat.History.import(file) end) # want HC208 "from a message handler: Room.handle_info -> async"
    {:noreply, state}
  end

  def handle_info(:save, %{saving: nil} = state) do
    task = Task.async(fn -> Chat.History.save(state.room) end)
    {:noreply, %{state | saving: task}}
  end
end
