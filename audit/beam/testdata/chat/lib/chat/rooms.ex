defmodule Chat.Rooms do
  @moduledoc "Rooms are servers that are started when somebody joins."

  alias Chat.Rooms.{Room, Supervisor}

  def open(room_id) do
    case Registry.lookup(Chat.RoomRegistry, room_id) do
      [{pid, _}] -> {:ok, pid}
      [] -> start(room_id)
    end
  end

  defp start(room_id) do
    DynamicSupervisor.start_child(Supervisor, {Room, room_id: room_id})
  end
end
