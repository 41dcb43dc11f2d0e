package beam

import "testing"

// A shape is one way to write a supervisor, as the body of MyApp.Application's start/2 unless it has modules of its own.
type shape struct {
	name string
	code string
	want string
}

func testShapes(t *testing.T, shapes []shape) {
	t.Helper()
	for _, s := range shapes {
		t.Run(s.name, func(t *testing.T) {
			result := reviewed(t, map[string]string{"lib/app.ex": s.code})
			if len(result.Unread) > 0 {
				t.Fatal(result.Unread)
			}
			equal(t, "inventory", rows(result), []string{s.want})
		})
	}
}

// children is an application whose children are given; its own supervisor is left out of the code for shortness.
func children(list string) string {
	return "defmodule MyApp.Application do\n  def children do\n    " + list + "\n  end\nend\n"
}

func TestEachWayToWriteADynamicSupervisorIsFound(t *testing.T) {
	testShapes(t, []shape{
		{"tuple", children(`[{DynamicSupervisor, name: MyApp.Rooms, strategy: :one_for_one, max_children: 1_000}]`),
			"DynamicSupervisor | MyApp.Rooms | one_for_one | 3 in 5s | 1000 (1_000)"},
		{"tuple with brackets", children(`[{DynamicSupervisor, [name: :rooms, strategy: :one_for_one, max_restarts: 10, max_seconds: 60]}]`),
			"DynamicSupervisor | :rooms | one_for_one | 10 in 60s | unlimited (by default)"},
		{"bare module", children(`[MyApp.Repo, DynamicSupervisor]`),
			"DynamicSupervisor |  | one_for_one | 3 in 5s | unlimited (by default)"},
		{"child spec map", children(`[%{id: :rooms, start: {DynamicSupervisor, :start_link, [[name: MyApp.Rooms, max_children: 5]]}}]`),
			"DynamicSupervisor | MyApp.Rooms | one_for_one | 3 in 5s | 5"},
		{"Supervisor.child_spec", children(`[Supervisor.child_spec({DynamicSupervisor, name: MyApp.Rooms, max_children: :infinity}, id: :rooms)]`),
			"DynamicSupervisor | MyApp.Rooms | one_for_one | 3 in 5s | unlimited (:infinity)"},
		{"its own child_spec", children(`[DynamicSupervisor.child_spec(name: MyApp.Rooms, max_children: 2)]`),
			"DynamicSupervisor | MyApp.Rooms | one_for_one | 3 in 5s | 2"},
		{"start_link", children(`DynamicSupervisor.start_link(strategy: :one_for_one, name: MyApp.Rooms, max_children: 7)`),
			"DynamicSupervisor | MyApp.Rooms | one_for_one | 3 in 5s | 7"},
		{"pipe", children(`[name: MyApp.Rooms, max_children: 7] |> DynamicSupervisor.start_link()`),
			"DynamicSupervisor | MyApp.Rooms | one_for_one | 3 in 5s | 7"},
		{"old worker spec", children(`[supervisor(DynamicSupervisor, [[name: MyApp.Rooms, max_children: 7]], id: :rooms)]`),
			"DynamicSupervisor | MyApp.Rooms | one_for_one | 3 in 5s | 7"},
		{"alias", "defmodule A do\n  alias DynamicSupervisor, as: DS\n  def c, do: [{DS, name: __MODULE__.Rooms, max_children: 4}]\nend\n",
			"DynamicSupervisor | A.Rooms | one_for_one | 3 in 5s | 4"},
		{"module", `
defmodule MyApp.RoomSupervisor do
  use DynamicSupervisor
  def start_link(arg), do: DynamicSupervisor.start_link(__MODULE__, arg, name: __MODULE__)
  @impl true
  def init(_arg), do: DynamicSupervisor.init(strategy: :one_for_one, max_children: 64)
end`, "DynamicSupervisor | MyApp.RoomSupervisor | one_for_one | 3 in 5s | 64"},
		{"module under another name", `
defmodule MyApp.RoomSupervisor do
  use DynamicSupervisor
  def start_link(arg) do
    DynamicSupervisor.start_link(__MODULE__, arg, name: :rooms)
  end
  def init(_arg) do
    DynamicSupervisor.init(strategy: :one_for_one)
  end
end`, "DynamicSupervisor | :rooms | one_for_one | 3 in 5s | unlimited (by default)"},
		{"module with flags", `
defmodule MyApp.RoomSupervisor do
  use DynamicSupervisor
  def init(_arg), do: {:ok, %{strategy: :one_for_one, intensity: 2, period: 9, max_children: 8}}
end`, "DynamicSupervisor | MyApp.RoomSupervisor | one_for_one | 2 in 9s | 8"},
		{"module whose init can't be read", `
defmodule MyApp.RoomSupervisor do
  use DynamicSupervisor
  def init(arg), do: MyLib.flags(arg)
end`, "DynamicSupervisor | MyApp.RoomSupervisor |  |  | not known"},
		{"module in a module", `
defmodule MyApp.Rooms do
  defmodule Full, do: defexception([:message])
  defmodule DynamicSupervisor, do: def(children, do: [{Elixir.DynamicSupervisor, name: __MODULE__, max_children: 3}])
end`, "DynamicSupervisor | MyApp.Rooms.DynamicSupervisor | one_for_one | 3 in 5s | 3"},
		{"module named like the kind", `
defmodule MyApp.Rooms.DynamicSupervisor do
  use DynamicSupervisor
  def init(_), do: DynamicSupervisor.init(strategy: :one_for_one, max_children: 3)
end`, "DynamicSupervisor | MyApp.Rooms.DynamicSupervisor | one_for_one | 3 in 5s | 3"},
		{"children joined from functions", `
defmodule MyApp.Application do
  use Application
  def start(_, _) do
    children =
      if on?() do
        []
      else
        [MyApp.Metrics]
      end ++ [MyApp.Repo, {DynamicSupervisor, name: MyApp.Rooms, max_children: 3}] ++ more()
    MyApp.run(children)
  end
  defp more(), do: [MyApp.Endpoint]
end`, "DynamicSupervisor | MyApp.Rooms | one_for_one | 3 in 5s | 3"},
		{"name made while it runs", children(`[{DynamicSupervisor, name: :"rooms_#{id()}", max_children: 3}]`),
			"DynamicSupervisor |  | one_for_one | 3 in 5s | 3"},
		{"another module's init", children(`DynamicSupervisor.start_link(MyLib.Rooms, [], name: MyApp.Rooms)`),
			"DynamicSupervisor | MyApp.Rooms |  |  | not known"},
	})
}

func TestEachWayToGiveOptionsIsFollowed(t *testing.T) {
	in := func(before, options string) string {
		return "defmodule MyApp do\n  @max 12\n  @opts [name: MyApp.Rooms, max_children: @max]\n  def children do\n    " + before +
			"\n    [{DynamicSupervisor, " + options + "}]\n  end\n  def opts, do: [name: MyApp.Rooms, max_children: limit(3)]\n" +
			"  defp limit(n), do: n * 4\nend\n"
	}
	want := "DynamicSupervisor | MyApp.Rooms | one_for_one | 3 in 5s | 12"
	open := "DynamicSupervisor | MyApp.Rooms |  |  | "
	testShapes(t, []shape{
		{"variable", in("opts = [name: MyApp.Rooms, max_children: 12]", "opts"), want},
		{"variable bound twice", in("opts = [name: MyApp.Rooms]\n    opts = Keyword.put(opts, :max_children, 12)", "opts"), want},
		{"variable inside", in("max = 12", "name: MyApp.Rooms, max_children: max"), want},
		{"attribute", in("", "@opts"), want},
		{"attribute inside", in("", "name: MyApp.Rooms, max_children: @max"), want},
		{"function", in("", "opts()"), want + " (n * 4)"},
		{"function without parentheses", in("", "opts"), want + " (n * 4)"},
		{"merge", in("", "Keyword.merge([name: MyApp.Rooms, max_children: 1], max_children: 12)"), want},
		{"put in a pipe", in("", "[name: MyApp.Rooms] |> Keyword.put(:max_children, 12)"), want},
		{"put_new", in("", "Keyword.put_new([name: MyApp.Rooms, max_children: 12], :max_children, 5)"), want},
		{"delete", in("", "Keyword.delete([name: MyApp.Rooms, max_children: 12], :max_children)"),
			"DynamicSupervisor | MyApp.Rooms | one_for_one | 3 in 5s | unlimited (by default)"},
		{"sum", in("", "[name: MyApp.Rooms] ++ [max_children: 12]"), want},
		{"first of two", in("", "name: MyApp.Rooms, max_children: 12, max_children: 9"), want},
		{"expression", in("", "name: MyApp.Rooms, max_children: System.schedulers_online() * 2"),
			"DynamicSupervisor | MyApp.Rooms | one_for_one | 3 in 5s | expression (System.schedulers_online() * 2)"},
		{"environment variable", in("", `name: MyApp.Rooms, max_children: String.to_integer(System.get_env("MAX", "10"))`),
			`DynamicSupervisor | MyApp.Rooms | one_for_one | 3 in 5s | expression (String.to_integer(System.get_env("MAX", "10")))`},
		{"somebody else's function", in("", "Keyword.merge(MyLib.options(), name: MyApp.Rooms)"), open + "not known"},
		{"branches that differ", in("opts = if Mix.env() == :prod, do: [max_children: 5], else: []", "[name: MyApp.Rooms] ++ opts"),
			"DynamicSupervisor | MyApp.Rooms | one_for_one | 3 in 5s | not known"},
		{"circles", in("opts = MyApp.a()", "opts") + "defmodule MyApp.C do\n  def a(x), do: Keyword.merge(a(x), a(x))\nend\n",
			"DynamicSupervisor |  |  |  | not known"},
		{"argument from two places", children("[{MyApp.Sup, max_children: 1}, Supervisor.child_spec({MyApp.Sup, max_children: 2}, id: :b)]") + givenSup,
			"DynamicSupervisor | MyApp.Sup | one_for_one |  | not known"},
		{"argument from one place", children("[{MyApp.Sup, max_children: 1}]") + givenSup,
			"DynamicSupervisor | MyApp.Sup | one_for_one | 3 in 5s | 1"},
	})
}

// givenSup is a supervisor whose options are its argument.
const givenSup = `
defmodule MyApp.Sup do
  use DynamicSupervisor
  def start_link(opts \\ []), do: DynamicSupervisor.start_link(__MODULE__, opts, name: __MODULE__)
  def init(opts), do: DynamicSupervisor.init(Keyword.put(opts, :strategy, :one_for_one))
end
`
