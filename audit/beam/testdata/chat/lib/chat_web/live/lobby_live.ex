defmodule ChatWeb.LobbyLive do
  use ChatWeb, :live_view

  @impl true
  def mount(_params, %{"user" => user}, socket) do
    DynamicSupervisor.start_child({:via, PartitionSupervisor, {Chat.Presences, user}}, {Chat.Presence, user})
    {:ok, socket}
  end

  @impl true
  def handle_event("export", _params, socket) do
    pid = self()
    spawn_link(fn -> send(pid, {:exported, Chat.Export.run()}) end) # want HC207 "from a LiveView's event: router -> LobbyLive.handle_event -> spawn_link"
    {:noreply, socket}
  end
end
