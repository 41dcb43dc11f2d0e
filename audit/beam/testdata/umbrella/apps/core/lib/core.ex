defmodule Core do
  def follow(feed), do: GenServer.call(Core.Feeds, {:follow, feed})
end

defmodule Core.Feeds do
  use GenServer

  def start_link(_), do: GenServer.start_link(__MODULE__, nil, name: __MODULE__)

  def init(nil), do: {:ok, %{}}

  def handle_call(:list, _from, state), do: {:reply, Map.keys(state), state}

  def handle_call({:follow, feed}, _from, state) do
    {:ok, pid} = DynamicSupervisor.start_child(Core.Feeds, {Core.Feed, feed})
    {:reply, :ok, Map.put(state, feed, pid)}
  end
end
