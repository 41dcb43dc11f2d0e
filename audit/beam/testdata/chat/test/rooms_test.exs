defmodule Chat.RoomsTest do
  use ExUnit.Case

  test "rooms" do
    start_supervised!({DynamicSupervisor, name: Chat.TestRooms})
  end
end
