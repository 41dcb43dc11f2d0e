defmodule Shop.Application do
  @moduledoc """
  Starts the shop.
  """
  use Application
  alias Shop.{Carts, Rooms}

  @max_carts 10_000
  @registry Shop.Registry

  @impl true
  def start(_type, args) do
    children = [
      Shop.Repo,
      {Registry, keys: :unique, name: @registry},
      {DynamicSupervisor, name: Carts.Supervisor, strategy: :one_for_one, max_children: @max_carts},
      {DynamicSupervisor, [{:name, Rooms.Supervisor}, {:max_children, :infinity}]},
      {PartitionSupervisor, child_spec: DynamicSupervisor.child_spec(max_children: 100), name: Parts, partitions: 8},
      {Task.Supervisor, name: Shop.Tasks},
      Supervisor.child_spec({Task.Supervisor, name: Shop.Mail, max_children: limit(args)}, id: :mail),
      %{
        id: :jobs,
        start: {DynamicSupervisor, :start_link, [[name: Shop.Jobs, strategy: :one_for_one]]},
        type: :supervisor
      },
      {Bandit, plug: Shop.Router, port: 4000, thousand_island_options: [num_acceptors: 10, num_connections: 1_000]},
      {Oban, Application.fetch_env!(:shop, Oban)}
    ]

    children = if Mix.env() == :test, do: children, else: children ++ [Shop.Cluster]
    Supervisor.start_link(children, strategy: :one_for_one, name: __MODULE__, max_restarts: 1_000_000, max_seconds: 1)
  end

  defp limit(args), do: Keyword.get(args, :limit, Application.get_env(:shop, :limit, 50))
end

defmodule Shop.Rooms.Supervisor do
  use DynamicSupervisor

  def start_link(opts), do: DynamicSupervisor.start_link(__MODULE__, opts, name: __MODULE__)

  def join(room) do
    spec = {Shop.Room, name: {:via, Registry, {Shop.Registry, room}}}

    case DynamicSupervisor.start_child(__MODULE__, spec) do
      {:ok, pid} -> {:ok, pid}
      {:error, {:already_started, pid}} -> {:ok, pid}
      {:error, :max_children} = error when is_tuple(error) -> error
    end
  end

  @impl true
  def init(_opts) do
    DynamicSupervisor.init(
      strategy: :one_for_one,
      max_restarts: 3,
      # the number of rooms that one node carries
      max_children: System.get_env("ROOMS", "500") |> String.to_integer()
    )
  end
end

defmodule Shop.RoomChannel do
  use Phoenix.Channel

  def join("room:" <> id, %{"token" => token}, socket) when byte_size(id) < 64 do
    with {:ok, user} <- Shop.Token.verify(socket, token),
         {:ok, pid} <- Shop.Rooms.Supervisor.join(id) do
      Task.start(fn -> Shop.Audit.log(user, "joined #{id}") end)
      {:ok, assign(socket, :room, pid)}
    else
      _ -> {:error, %{reason: "unauthorized"}}
    end
  end

  def handle_in("import", %{"urls" => urls}, socket) do
    urls
    |> Task.async_stream(&Shop.Fetch.get/1, max_concurrency: :infinity, timeout: 5_000, on_timeout: :kill_task)
    |> Stream.filter(&match?({:ok, _}, &1))
    |> Enum.each(fn {:ok, body} -> push(socket, "page", %{body: body}) end)

    {:noreply, socket}
  end
end
