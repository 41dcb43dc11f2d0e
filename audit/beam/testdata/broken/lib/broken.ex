defmodule Broken do
  def start do
    children = [
      {DynamicSupervisor, name: Broken.Rooms)
    ]
  end
end
