defmodule Shop.Application do
  use Application

  @tasks_limit 200

  def start(_type, _args) do
    children = [
      {DynamicSupervisor, name: Shop.Carts, strategy: :one_for_one, max_children: 10_000},
      {Task.Supervisor, name: Shop.Tasks, max_children: @tasks_limit},
      {Bandit, plug: Shop.Admin, port: 4001, thousand_island_options: [num_acceptors: 4, num_connections: 50]},
      Shop.Endpoint
    ]

    Supervisor.start_link(children, strategy: :one_for_one, max_restarts: 10, max_seconds: 60)
  end
end

defmodule Shop.Endpoint do
  use Phoenix.Endpoint, otp_app: :shop
  plug Shop.Router
end

defmodule Shop.Router do
  use Plug.Router
  plug :match
  plug :dispatch

  get "/carts/:id" do
    case DynamicSupervisor.start_child(Shop.Carts, {Shop.Cart, id}) do
      {:ok, pid} -> send_resp(conn, 200, Shop.Cart.show(pid))
      {:error, :max_children} -> send_resp(conn, 503, "busy")
    end
  end

  post "/prices" do
    prices = [:de, :fr, :it] |> Enum.map(fn c -> Task.async(fn -> Shop.Prices.of(c) end) end) |> Task.await_many()
    stock = Task.async(fn -> Shop.Stock.all() end)
    send_resp(conn, 200, inspect({prices, Task.await(stock, 1_000)}))
  end

  post "/orders" do
    Task.Supervisor.start_child(Shop.Tasks, fn -> Shop.Orders.place(conn.params) end)
    send_resp(conn, 202, "")
  end
end

defmodule Shop.Prices do
  @moduledoc """
  A Task.start in a document, {DynamicSupervisor, name: X}, is no supervisor.
  """

  @countries ~w(de fr it)a

  # {Task.Supervisor, name: Shop.Commented}
  def all, do: Task.async_stream(@countries, &of/1, max_concurrency: :infinity) |> Enum.to_list()

  def of(country), do: spawn(country)

  # Its own function, though it is called spawn.
  defp spawn(country), do: {:price, country}

  @spec start(DynamicSupervisor.option()) :: DynamicSupervisor.on_start_child()
  def start(_), do: :ignore

  def kind({DynamicSupervisor, _}), do: :dynamic
  def kind(pid) when is_pid(pid), do: DynamicSupervisor.which_children(pid)
end
