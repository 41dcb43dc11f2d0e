defmodule ChatWeb.Audit do
  @behaviour Plug

  @impl true
  def init(opts), do: opts

  @impl true
  def call(conn, _opts) do
    Task.Supervisor.start_child(Chat.TaskSupervisor, Chat.Stats, :seen, [conn.remote_ip])
    conn
  end
end
