package beam

import "testing"

func TestEachWayToWriteATaskSupervisorIsFound(t *testing.T) {
	unlimited := "Task.Supervisor | MyApp.Tasks | one_for_one | 3 in 5s | unlimited (by default)"
	limited := "Task.Supervisor | MyApp.Tasks | one_for_one | 3 in 5s | 50"
	testShapes(t, []shape{
		{"tuple", children(`[{Task.Supervisor, name: MyApp.Tasks}]`), unlimited},
		{"tuple with a limit", children(`[{Task.Supervisor, name: MyApp.Tasks, max_children: 50}]`), limited},
		{"tuple with brackets", children(`[{Task.Supervisor, [name: MyApp.Tasks, max_children: 50]}]`), limited},
		{"bare module", children(`[MyApp.Repo, Task.Supervisor]`), "Task.Supervisor |  | one_for_one | 3 in 5s | unlimited (by default)"},
		{"child spec map", children(`[%{id: T, start: {Task.Supervisor, :start_link, [[name: MyApp.Tasks]]}}]`), unlimited},
		{"Supervisor.child_spec", children(`[Supervisor.child_spec({Task.Supervisor, name: MyApp.Tasks}, id: :t)]`), unlimited},
		{"its own child_spec", children(`[Task.Supervisor.child_spec(name: MyApp.Tasks)]`), unlimited},
		{"start_link", children(`{:ok, sup} = Task.Supervisor.start_link(name: MyApp.Tasks, max_children: 50)`), limited},
		{"start_link without options", children(`Task.Supervisor.start_link()`),
			"Task.Supervisor |  | one_for_one | 3 in 5s | unlimited (by default)"},
		{"pipe", children(`[name: MyApp.Tasks] |> Task.Supervisor.start_link()`), unlimited},
		{"old worker spec", children(`[supervisor(Task.Supervisor, [[name: MyApp.Tasks]])]`), unlimited},
		{"alias", "defmodule A do\n  alias Task.Supervisor, as: Tasks\n  def c, do: [{Tasks, name: MyApp.Tasks}]\nend\n", unlimited},
		{"group of aliases", "defmodule A do\n  alias Task.{Supervisor}\n  def c, do: [{Supervisor, name: MyApp.Tasks}]\nend\n", unlimited},
		{"attribute of children", "defmodule A do\n  @children [{Task.Supervisor, name: MyApp.Tasks}]\n  def c, do: @children\nend\n", unlimited},
		{"list that is added", children(`[MyApp.Repo] ++ [{Task.Supervisor, name: MyApp.Tasks}]`), unlimited},
		{"in a condition", children(`if on?(), do: [{Task.Supervisor, name: MyApp.Tasks}], else: []`), unlimited},
	})
}

func TestEachWayToWriteAPartitionSupervisorIsFound(t *testing.T) {
	total := "PartitionSupervisor of DynamicSupervisor | MyApp.Rooms | one_for_one | 3 in 5s | 800 (100 in each of 8 partitions, 800 in total)"
	testShapes(t, []shape{
		{"tuple", children(`[{PartitionSupervisor, child_spec: {DynamicSupervisor, max_children: 100}, name: MyApp.Rooms, partitions: 8}]`), total},
		{"brackets", children(`[{PartitionSupervisor, [child_spec: {DynamicSupervisor, [max_children: 100]}, name: MyApp.Rooms, partitions: 8]}]`), total},
		{"child spec map inside", children(`[{PartitionSupervisor, name: MyApp.Rooms, partitions: 8,
      child_spec: %{id: :d, start: {DynamicSupervisor, :start_link, [[max_children: 100]]}}}]`), total},
		{"child_spec inside", children(`[{PartitionSupervisor, name: MyApp.Rooms, partitions: 8, child_spec: DynamicSupervisor.child_spec(max_children: 100)}]`), total},
		{"variable inside", children("spec = {DynamicSupervisor, max_children: 100}\n    [{PartitionSupervisor, child_spec: spec, name: MyApp.Rooms, partitions: 8}]"), total},
		{"start_link", children(`PartitionSupervisor.start_link(child_spec: {DynamicSupervisor, max_children: 100}, name: MyApp.Rooms, partitions: 8)`), total},
		{"child spec map around", children(`[%{id: :p, start: {PartitionSupervisor, :start_link, [[child_spec: {DynamicSupervisor, max_children: 100}, name: MyApp.Rooms, partitions: 8]]}}]`), total},
		{"Supervisor.child_spec around", children(`[Supervisor.child_spec({PartitionSupervisor, child_spec: {DynamicSupervisor, max_children: 100}, name: MyApp.Rooms, partitions: 8}, id: :p)]`), total},
		{"bare inside", children(`[{PartitionSupervisor, child_spec: DynamicSupervisor, name: MyApp.Rooms}]`),
			"PartitionSupervisor of DynamicSupervisor | MyApp.Rooms | one_for_one | 3 in 5s | unlimited (by default, in each of System.schedulers_online() partitions)"},
		{"as many as schedulers", children(`[{PartitionSupervisor, child_spec: {DynamicSupervisor, max_children: 100}, name: MyApp.Rooms}]`),
			"PartitionSupervisor of DynamicSupervisor | MyApp.Rooms | one_for_one | 3 in 5s | expression (100 in each of System.schedulers_online() partitions)"},
		{"tasks inside", children(`[{PartitionSupervisor, child_spec: Task.Supervisor, name: MyApp.Tasks, partitions: 4}]`),
			"PartitionSupervisor of Task.Supervisor | MyApp.Tasks | one_for_one | 3 in 5s | unlimited (by default, in each of 4 partitions)"},
		{"own module inside", children(`[{PartitionSupervisor, child_spec: MyApp.Room, name: MyApp.Rooms, partitions: 8}]`) + `
defmodule MyApp.Room do
  use DynamicSupervisor
  def start_link(arg), do: DynamicSupervisor.start_link(__MODULE__, arg)
  def init(_), do: DynamicSupervisor.init(strategy: :one_for_one, max_children: 100)
end`, total},
		{"pipe", children(`[child_spec: {DynamicSupervisor, max_children: 100}, name: MyApp.Rooms, partitions: 8] |> PartitionSupervisor.start_link()`), total},
		{"own server inside", children(`[{PartitionSupervisor, child_spec: MyApp.Counter, name: MyApp.Counters}]`) + `
defmodule MyApp.Counter do
  use GenServer
end`, "PartitionSupervisor | MyApp.Counters | one_for_one | 3 in 5s | declared"},
		{"a server inside", children(`[{PartitionSupervisor, child_spec: MyApp.Counter.child_spec([]), name: MyApp.Counters}]`),
			"PartitionSupervisor | MyApp.Counters | one_for_one | 3 in 5s | declared"},
	})
}
