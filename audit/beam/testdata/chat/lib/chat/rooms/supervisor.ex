defmodule Chat.Rooms.Supervisor do
  use DynamicSupervisor

  def start_link(init_arg) do
    DynamicSupervisor.start_link(__MODULE__, init_arg, name: __MODULE__)
  end

  @impl true
  def init(_init_arg) do
    DynamicSupervisor.init(strategy: :one_for_one, max_restarts: 1_000_000, max_seconds: 1) # want HC201 "endpoint -> UserSocket -> RoomChannel.join -> Rooms.open -> Rooms.start -> start_child" # want HC213 "1000000 restarts in 1 s"
  end
end
