defmodule Pool do
  def child_spec(limit) do
    Supervisor.child_spec({Task.Supervisor, name: __MODULE__, max_children: limit}, id: __MODULE__)
  end

  def handle(work) do
    case Task.Supervisor.start_child(__MODULE__, work, restart: :transient) do
      {:ok, _pid} -> :ok
      {:error, :max_children} -> {:error, :full}
    end
  end
end

# {Pool, 4} in the children of the application's supervisor starts it, and its shutdown stops it.
