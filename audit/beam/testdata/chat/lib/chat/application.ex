defmodule Chat.Application do
  @moduledoc false
  use Application

  @impl true
  def start(_type, _args) do
    children = [
      Chat.Repo,
      {Phoenix.PubSub, name: Chat.PubSub},
      {Task.Supervisor, name: Chat.TaskSupervisor, max_children: 100},
      {Chat.Rooms.Supervisor, []},
      {DynamicSupervisor, [name: Chat.Uploads, strategy: :one_for_one] ++ Application.get_env(:chat, Chat.Uploads, [])},
      {PartitionSupervisor, child_spec: DynamicSupervisor, name: Chat.Presences}, # want HC201 "in any of its partitions: router -> LobbyLive.mount -> start_child"
      {DynamicSupervisor, name: Chat.Plugins, strategy: :one_for_one}, # want HC201 "Chat.Plugins has no max_children: Application.start -> Plugins.load -> start_child"
      ChatWeb.Endpoint,
      {Oban, Application.fetch_env!(:chat, Oban)}
    ]

    {:ok, sup} = Supervisor.start_link(children, strategy: :one_for_one, name: Chat.Supervisor)
    Chat.Plugins.load()
    {:ok, sup}
  end
end
