package beam

import "testing"

func TestEachWayToWriteAHordeSupervisorIsFound(t *testing.T) {
	limited := "Horde.DynamicSupervisor | MyApp.Rooms | one_for_one | 3 in 5s | 50"
	unlimited := "Horde.DynamicSupervisor | MyApp.Rooms | one_for_one | 3 in 5s | unlimited (by default)"
	testShapes(t, []shape{
		{"tuple", children(`[{Horde.DynamicSupervisor, name: MyApp.Rooms, strategy: :one_for_one, members: :auto}]`), unlimited},
		{"tuple with a limit", children(`[{Horde.DynamicSupervisor, name: MyApp.Rooms, max_children: 50}]`), limited},
		{"brackets", children(`[{Horde.DynamicSupervisor, [name: MyApp.Rooms, max_children: 50]}]`), limited},
		{"child spec map", children(`[%{id: H, start: {Horde.DynamicSupervisor, :start_link, [[name: MyApp.Rooms]]}}]`), unlimited},
		{"Supervisor.child_spec", children(`[Supervisor.child_spec({Horde.DynamicSupervisor, name: MyApp.Rooms}, id: :h)]`), unlimited},
		{"its own child_spec", children(`[Horde.DynamicSupervisor.child_spec(name: MyApp.Rooms)]`), unlimited},
		{"start_link", children(`Horde.DynamicSupervisor.start_link(name: MyApp.Rooms, strategy: :one_for_one)`), unlimited},
		{"alias", "defmodule A do\n  alias Horde.DynamicSupervisor\n  def c, do: [{DynamicSupervisor, name: MyApp.Rooms}]\nend\n", unlimited},
		{"old name", children(`[{Horde.Supervisor, name: MyApp.Rooms, strategy: :one_for_one}]`),
			"Horde.Supervisor | MyApp.Rooms | one_for_one | 3 in 5s | unlimited (by default)"},
		{"module", `
defmodule MyApp.Rooms do
  use Horde.DynamicSupervisor
  def start_link(init_arg) do
    Horde.DynamicSupervisor.start_link(__MODULE__, init_arg, name: __MODULE__)
  end
  def init(init_arg) do
    [strategy: :one_for_one, members: members()]
    |> Keyword.merge(init_arg)
    |> Horde.DynamicSupervisor.init()
  end
end`, "Horde.DynamicSupervisor | MyApp.Rooms |  |  | not known"},
		{"module whose argument is known", children(`[{MyApp.Rooms, max_children: 50}]`) + `
defmodule MyApp.Rooms do
  use Horde.DynamicSupervisor
  def start_link(init_arg), do: Horde.DynamicSupervisor.start_link(__MODULE__, init_arg, name: __MODULE__)
  def init(init_arg) do
    [strategy: :one_for_one]
    |> Keyword.merge(init_arg)
    |> Horde.DynamicSupervisor.init()
  end
end`, limited},
	})
}

func TestEachWayToWriteAConsumerSupervisorIsFound(t *testing.T) {
	module := func(init string) string {
		return "defmodule MyApp.Jobs do\n  use ConsumerSupervisor\n  def start_link(arg), do: ConsumerSupervisor.start_link(__MODULE__, arg, name: __MODULE__)\n" +
			"  @demand 20\n  def init(_arg) do\n    " + init + "\n  end\nend\n"
	}
	const is = "ConsumerSupervisor | MyApp.Jobs | one_for_one | 3 in 5s | "
	testShapes(t, []shape{
		{"init", module(`ConsumerSupervisor.init([Printer], strategy: :one_for_one, subscribe_to: [{Producer, max_demand: 50}])`), is + "50"},
		{"two producers", module(`ConsumerSupervisor.init([Printer], strategy: :one_for_one, subscribe_to: [{A, max_demand: 50}, {B, max_demand: 30, min_demand: 1}])`),
			is + "80 (50 + 30)"},
		{"default", module(`ConsumerSupervisor.init([Printer], strategy: :one_for_one, subscribe_to: [Producer])`), is + "1000 (1000 by default)"},
		{"default with options", module(`ConsumerSupervisor.init([Printer], strategy: :one_for_one, subscribe_to: [{Producer, cancel: :transient}])`),
			is + "1000 (1000 by default)"},
		{"variable", module("opts = [strategy: :one_for_one, subscribe_to: [{Producer, max_demand: 50}]]\n    ConsumerSupervisor.init([Printer], opts)"), is + "50"},
		{"children in a variable", module("children = [%{id: P, start: {P, :start_link, []}, restart: :transient}]\n    ConsumerSupervisor.init(children, strategy: :one_for_one, subscribe_to: [{Producer, max_demand: 50}])"), is + "50"},
		{"attribute", module(`ConsumerSupervisor.init([Printer], strategy: :one_for_one, subscribe_to: [{Producer, max_demand: @demand}])`), is + "20"},
		{"expression", module(`ConsumerSupervisor.init([Printer], strategy: :one_for_one, subscribe_to: [{Producer, max_demand: System.schedulers_online()}])`),
			is + "expression (System.schedulers_online())"},
		{"named producer", module(`ConsumerSupervisor.init([Printer], strategy: :one_for_one, subscribe_to: [{{:via, Registry, {R, 1}}, max_demand: 5}])`), is + "5"},
		{"subscribed while it runs", module(`ConsumerSupervisor.init([Printer], strategy: :one_for_one)`), is + "not known"},
		{"start_link", children(`ConsumerSupervisor.start_link([Printer], name: MyApp.Jobs, strategy: :one_for_one, subscribe_to: [{Producer, max_demand: 50}])`), is + "50"},
	})
}

func TestEachWayToWriteASimpleOneForOneIsFound(t *testing.T) {
	const is = "simple_one_for_one | MyApp.Rooms | simple_one_for_one | 3 in 5s | unlimited (simple_one_for_one has none)"
	otp := func(behaviour, init string) string {
		return "defmodule MyApp.Rooms do\n  " + behaviour + "\n  @flags %{strategy: :simple_one_for_one, intensity: 3, period: 5}\n  def init(_) do\n    " + init + "\n  end\nend\n"
	}
	testShapes(t, []shape{
		{"init", otp("use Supervisor", `Supervisor.init([MyApp.Room], strategy: :simple_one_for_one)`), is},
		{"variable", otp("use Supervisor", "children = [worker(MyApp.Room, [])]\n    Supervisor.init(children, strategy: :simple_one_for_one)"), is},
		{"supervise", otp("use Supervisor", `supervise([worker(MyApp.Room, [])], strategy: :simple_one_for_one)`), is},
		{"supervise in a pipe", otp("use Supervisor", `[worker(MyApp.Room, [])] |> supervise(strategy: :simple_one_for_one)`), is},
		{"start_link", children(`Supervisor.start_link([MyApp.Room], strategy: :simple_one_for_one, name: MyApp.Rooms)`), is},
		{"options in a variable", children("opts = [strategy: :simple_one_for_one, name: MyApp.Rooms]\n    Supervisor.start_link([MyApp.Room], opts)"), is},
		{"budget", otp("use Supervisor", `Supervisor.init([MyApp.Room], strategy: :simple_one_for_one, max_restarts: 0, max_seconds: 1)`),
			"simple_one_for_one | MyApp.Rooms | simple_one_for_one | 0 in 1s | unlimited (simple_one_for_one has none)"},
		{"flags", otp("@behaviour :supervisor", `{:ok, {%{strategy: :simple_one_for_one, intensity: 3, period: 5}, [%{id: 1, start: {MyApp.Room, :start_link, []}}]}}`), is},
		{"flags of a tuple", otp("@behaviour :supervisor", `{:ok, {{:simple_one_for_one, 3, 5}, [spec()]}}`), is},
		{"flags by default", otp("@behaviour :supervisor", `{:ok, {%{strategy: :simple_one_for_one}, [spec()]}}`),
			"simple_one_for_one | MyApp.Rooms | simple_one_for_one | 1 in 5s | unlimited (simple_one_for_one has none)"},
		{"flags in a variable", otp("@behaviour :supervisor", "flags = %{strategy: :simple_one_for_one, intensity: 3, period: 5}\n    {:ok, {flags, [spec()]}}"), is},
	})
}

func TestEachWayToWriteASupervisorIsFound(t *testing.T) {
	const is = "Supervisor | MyApp.Sup | one_for_one | 3 in 5s | declared"
	module := func(init string) string {
		return "defmodule MyApp.Sup do\n  use Supervisor\n  def start_link(a), do: Supervisor.start_link(__MODULE__, a, name: __MODULE__)\n  def init(_) do\n    " + init + "\n  end\nend\n"
	}
	testShapes(t, []shape{
		{"init", module(`Supervisor.init([MyApp.Repo], strategy: :one_for_one)`), is},
		{"init in a pipe", module(`[MyApp.Repo] |> Supervisor.init(strategy: :one_for_one)`), is},
		{"children in a variable", module("children = [MyApp.Repo]\n    Supervisor.init(children, strategy: :one_for_one)"), is},
		{"options in a variable", module("opts = [strategy: :one_for_one]\n    Supervisor.init([MyApp.Repo], opts)"), is},
		{"supervise", module(`supervise([worker(MyApp.Repo, [])], strategy: :one_for_one)`), is},
		{"start_link", children(`Supervisor.start_link([MyApp.Repo], strategy: :one_for_one, name: MyApp.Sup)`), is},
		{"start_link with variables", children("opts = [strategy: :one_for_one, name: MyApp.Sup]\n    children = []\n    Supervisor.start_link(children, opts)"), is},
		{"start_link in a pipe", children(`[MyApp.Repo] |> Supervisor.start_link(strategy: :one_for_one, name: MyApp.Sup)`), is},
		{"child spec map", children(`[%{id: :s, type: :supervisor, start: {Supervisor, :start_link, [[MyApp.Repo], [strategy: :one_for_one, name: MyApp.Sup]]}}]`), is},
		{"old worker spec", children(`[supervisor(Supervisor, [[worker(MyApp.Repo, [])], [strategy: :one_for_one, name: MyApp.Sup]])]`), is},
		{"other strategy", module(`Supervisor.init([MyApp.Repo], strategy: :rest_for_one, max_restarts: 5)`),
			"Supervisor | MyApp.Sup | rest_for_one | 5 in 5s | declared"},
	})
}
