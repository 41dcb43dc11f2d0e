package beam

import (
	"testing"

	"github.com/headcount-go/headcount/audit/report"
)

// rooms is what the programs of these tests grow.
const rooms = `
defmodule MyApp.Rooms do
  use DynamicSupervisor
  def start_link(a), do: DynamicSupervisor.start_link(__MODULE__, a, name: __MODULE__)
  def init(_), do: DynamicSupervisor.init(strategy: :one_for_one)
  def open(id), do: DynamicSupervisor.start_child(__MODULE__, {MyApp.Room, id})
end
`

func TestCriticalityComesWithTheWayThatShowsIt(t *testing.T) {
	for _, c := range []struct {
		name, code string
		who        report.Criticality
		path       string
	}{
		{"no caller", "", report.NotKnown, "Rooms.open -> start_child"},
		{"start of the application", `
defmodule MyApp.Application do
  use Application
  def start(_, _), do: Enum.each([:lobby, :help], &MyApp.Rooms.open/1)
end`, report.Internal, "Application.start -> Rooms.open -> start_child"},
		{"a server's message", `
defmodule MyApp.Server do
  use GenServer
  def handle_info({:open, id}, s) do
    MyApp.Rooms.open(id)
    {:noreply, s}
  end
end`, report.Unbounded, "Server.handle_info -> Rooms.open -> start_child"},
		{"a function told for whom", `
defmodule MyApp.Users do
  def enter(user_id), do: DynamicSupervisor.start_child(MyApp.Rooms, {MyApp.Room, user_id})
end`, report.UserOwned, "Users.enter -> start_child"},
		{"a job", `
defmodule MyApp.Opener do
  use Oban.Worker, queue: :default
  def perform(%Oban.Job{args: args}), do: MyApp.Rooms.open(args["id"])
end`, report.Unbounded, "Opener.perform -> Rooms.open -> start_child"},
		{"a job that a request enqueues", `
defmodule MyApp.Opener do
  use Oban.Worker
  def perform(job), do: MyApp.Rooms.open(job.args)
end
defmodule MyAppWeb.RoomController do
  use MyAppWeb, :controller
  def create(conn, params), do: params |> MyApp.Opener.new() |> Oban.insert()
end`, report.External, "RoomController.create -> Opener.perform -> Rooms.open -> start_child"},
		{"a route of Plug", `
defmodule MyApp.Router do
  use Plug.Router
  post "/rooms" do
    MyApp.Rooms.open(conn.params["id"])
    send_resp(conn, 201, "")
  end
end`, report.External, "Router post /rooms -> Rooms.open -> start_child"},
		{"a resolver", `
defmodule MyApp.Schema do
  use Absinthe.Schema
  mutation do
    field :open_room, :room do
      resolve &MyApp.Resolvers.open/3
    end
  end
end
defmodule MyApp.Resolvers do
  def open(_, %{id: id}, _), do: MyApp.Rooms.open(id)
end`, report.External, "schema -> Resolvers.open -> Rooms.open -> start_child"},
		{"a websocket", `
defmodule MyApp.Sock do
  @behaviour WebSock
  def init(s), do: {:ok, s}
  def handle_in({text, _}, s) do
    {:ok, _} = MyApp.Rooms.open(text)
    {:ok, s}
  end
end`, report.External, "Sock.handle_in -> Rooms.open -> start_child"},
		{"a connection", `
defmodule MyApp.Echo do
  use ThousandIsland.Handler
  def handle_data(data, _socket, s) do
    MyApp.Rooms.open(data)
    {:continue, s}
  end
end`, report.External, "Echo.handle_data -> Rooms.open -> start_child"},
		{"a consumer", `
defmodule MyApp.Events do
  use Broadway
  def handle_message(_, m, _), do: MyApp.Rooms.open(m.data)
end`, report.External, "Events.handle_message -> Rooms.open -> start_child"},
		{"an event of a component", `
defmodule MyAppWeb.RoomList do
  use Phoenix.LiveComponent
  import MyApp.Rooms, only: [open: 1]
  def handle_event("open", %{"id" => id}, socket) do
    open(id)
    {:noreply, socket}
  end
end`, report.External, "RoomList.handle_event -> Rooms.open -> start_child"},
		{"a call to a server", `
defmodule MyApp.Keeper do
  use GenServer
  def enter(pid, id), do: GenServer.call(pid, {:enter, id})
  def handle_call({:leave, _}, _, s), do: {:reply, :ok, s}
  def handle_call({:enter, id}, _, s), do: {:reply, MyApp.Rooms.open(id), s}
end
defmodule MyAppWeb.RoomController do
  use Phoenix.Controller
  def show(conn, %{"id" => id}), do: MyApp.Keeper.enter(conn.assigns.keeper, id)
end`, report.External, "RoomController.show -> Keeper.enter -> Keeper.handle_call -> Rooms.open -> start_child"},
		{"a message that is not the one", `
defmodule MyApp.Keeper do
  use GenServer
  def leave(pid, id), do: GenServer.call(pid, {:leave, id})
  def handle_call({:leave, _}, _, s), do: {:reply, :ok, s}
  def handle_call({:enter, id}, _, s), do: {:reply, MyApp.Rooms.open(id), s}
end
defmodule MyAppWeb.RoomController do
  use Phoenix.Controller
  def show(conn, %{"id" => id}), do: MyApp.Keeper.leave(conn.assigns.keeper, id)
end`, report.Unbounded, "Keeper.handle_call -> Rooms.open -> start_child"},
		{"a name in an attribute and a spec in a variable", `
defmodule MyAppWeb.RoomController do
  use Phoenix.Controller
  @rooms MyApp.Rooms
  def show(conn, %{"id" => id}) do
    spec = %{id: id, start: {MyApp.Room, :start_link, [id]}}
    DynamicSupervisor.start_child(@rooms, spec)
  end
end`, report.External, "RoomController.show -> start_child"},
		{"a delegate", `
defmodule MyApp do
  defdelegate enter(id, opts \\ []), to: MyApp.Doors, as: :open
end
defmodule MyApp.Doors do
  def open(id, _opts), do: MyApp.Rooms.open(id)
end
defmodule MyAppWeb.RoomController do
  use Phoenix.Controller
  def show(conn, %{"id" => id}), do: MyApp.enter(id)
end`, report.External, "RoomController.show -> MyApp.enter -> Doors.open -> Rooms.open -> start_child"},
		{"a variable with a function's name", `
defmodule MyAppWeb.RoomController do
  use Phoenix.Controller
  def show(conn, %{"id" => open}), do: render(conn, open)
  def open, do: MyApp.Rooms.open(1)
end`, report.NotKnown, "Rooms.open -> start_child"},
		{"a supervisor that is handed on", `
defmodule MyApp.Starter do
  def start(sup, child), do: DynamicSupervisor.start_child(sup, child)
end
defmodule MyAppWeb.RoomController do
  use Phoenix.Controller
  def show(conn, %{"id" => id}), do: MyApp.Starter.start(MyApp.Rooms, {MyApp.Room, id})
  def other(conn, %{"id" => id}), do: MyApp.Starter.start(MyApp.Others, {MyApp.Room, id})
end
defmodule MyApp.OtherRooms do
  def children, do: [{DynamicSupervisor, name: MyApp.Others}]
end`, report.External, "RoomController.show -> Starter.start -> start_child"},
		{"an import of the supervisor's functions", `
defmodule MyAppWeb.RoomController do
  use Phoenix.Controller
  import DynamicSupervisor, only: [start_child: 2]
  def show(conn, %{"id" => id}), do: start_child(MyApp.Rooms, {MyApp.Room, id})
end`, report.External, "RoomController.show -> start_child"},
		{"another supervisor", `
defmodule MyAppWeb.RoomController do
  use Phoenix.Controller
  def show(conn, %{"id" => id}), do: DynamicSupervisor.start_child(MyApp.Others, {MyApp.Room, id})
end`, report.NotKnown, "Rooms.open -> start_child"},
		{"a function by name", `
defmodule MyAppWeb.RoomController do
  use Phoenix.Controller
  def show(conn, %{"id" => id}), do: Task.await(Task.async(MyApp.Rooms, :open, [id]))
end`, report.External, "RoomController.show -> Rooms.open -> start_child"},
		{"the implementation in the configuration", `
defmodule MyAppWeb.RoomController do
  use Phoenix.Controller
  @impl_module Application.compile_env(:my_app, :rooms, MyApp.Rooms)
  def show(conn, %{"id" => id}), do: @impl_module.open(id)
end`, report.External, "RoomController.show -> Rooms.open -> start_child"},
		{"what a child does when it starts", `
defmodule MyApp.Floor do
  use GenServer
  def start_link(a), do: GenServer.start_link(__MODULE__, a)
  def init(a), do: {:ok, a, {:continue, :rooms}}
  def handle_continue(:rooms, a), do: MyApp.Rooms.open(a)
end
defmodule MyAppWeb.FloorController do
  use Phoenix.Controller
  def create(conn, p), do: Task.Supervisor.start_child(T, {MyApp.Floor, p})
end`, report.External, "FloorController.create -> Floor.init -> Floor.handle_continue -> Rooms.open -> start_child"},
	} {
		t.Run(c.name, func(t *testing.T) {
			result := reviewed(t, map[string]string{"lib/rooms.ex": rooms, "lib/rest.ex": c.code})
			if len(result.Unread) > 0 {
				t.Fatal(result.Unread)
			}
			if len(result.Supervisors) == 0 {
				t.Fatal("no supervisor is found")
			}
			for _, s := range result.Supervisors {
				if s.Name == "MyApp.Rooms" && (s.Criticality != c.who || report.Way(s.Reach) != c.path) {
					t.Errorf("criticality %d by %q, want %d by %q", s.Criticality, report.Way(s.Reach), c.who, c.path)
				}
			}
		})
	}
}

func TestSupervisorWithoutANameIsReachedFromItsOwnModule(t *testing.T) {
	result := reviewed(t, map[string]string{"lib/a.ex": `
defmodule MyAppWeb.RoomLive do
  use Phoenix.LiveView
  def mount(_, _, socket) do
    {:ok, sup} = DynamicSupervisor.start_link(strategy: :one_for_one)
    {:ok, assign(socket, sup: sup)}
  end
  def handle_event("add", p, socket), do: DynamicSupervisor.start_child(socket.assigns.sup, {MyApp.Item, p})
end
defmodule MyApp.Other do
  def children, do: [{DynamicSupervisor, name: MyApp.Elsewhere}]
end
`})
	if len(result.Supervisors) != 2 {
		t.Fatal(rows(result))
	}
	if got, want := report.Way(result.Supervisors[0].Reach), "RoomLive.handle_event -> start_child"; got != want {
		t.Errorf("by %q, want %q", got, want)
	}
	if got := report.Way(result.Supervisors[1].Reach); got != "" {
		t.Errorf("the other one by %q", got)
	}
}
