package beam

import "testing"

func TestWhatOnlyNamesASupervisorMakesNone(t *testing.T) {
	for name, code := range map[string]string{
		"a spec":                   "@spec child_spec(term) :: Supervisor.child_spec()\n  @type t :: {DynamicSupervisor, keyword}\n  def f(x), do: x",
		"a document":               "@doc \"\"\"\n  {DynamicSupervisor, name: X}\n  \"\"\"\n  def f(x), do: x",
		"a comment":                "# {Task.Supervisor, name: X}\n  def f(x), do: x",
		"a string":                 `def f, do: "{DynamicSupervisor, name: X}"`,
		"a list of modules":        "def kinds, do: [DynamicSupervisor, Task.Supervisor]",
		"an alias":                 "alias Task.Supervisor\n  def f(x), do: x",
		"an import":                "import Supervisor.Spec\n  def f(x), do: x",
		"a pattern":                "def f({DynamicSupervisor, opts}), do: opts",
		"calls that only ask":      "def f(x), do: {DynamicSupervisor.which_children(x), Supervisor.count_children(x)}",
		"a start of a child":       "def f(x), do: DynamicSupervisor.start_child(x, {MyApp.Room, []})",
		"a name by way of another": "def f(x), do: {:via, PartitionSupervisor, {MyApp.Rooms, x}}",
		"a module of that name":    "alias MyApp.DynamicSupervisor\n  def children, do: [{DynamicSupervisor, name: X}]",
		"its own supervise":        "def f(x), do: supervise(x, [])\n  def supervise(x, _), do: x",
	} {
		result := reviewed(t, map[string]string{"lib/a.ex": "defmodule A do\n  " + code + "\nend\n"})
		if len(result.Unread) > 0 || len(result.Supervisors) > 0 || len(result.Findings) > 0 {
			t.Errorf("%s: %v %v %v", name, rows(result), found(result), result.Unread)
		}
	}
}
