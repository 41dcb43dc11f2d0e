defmodule Core.Sessions do
  use DynamicSupervisor

  def start_link(opts), do: DynamicSupervisor.start_link(__MODULE__, opts, name: __MODULE__)

  def init(opts), do: DynamicSupervisor.init([strategy: :one_for_one] ++ Keyword.take(opts, [:max_children, :max_restarts]))
end
