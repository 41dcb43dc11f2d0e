defmodule Chat.Plugins do
  def load do
    for plugin <- Application.get_env(:chat, :plugins, []) do
      DynamicSupervisor.start_child(__MODULE__, {plugin, []})
    end
  end
end
