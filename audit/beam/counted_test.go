package beam

import (
	"strings"
	"testing"

	"github.com/headcount-go/headcount/audit/report"
)

func TestCountBeforeTheStartMakesTheRuleLessSure(t *testing.T) {
	for name, c := range map[string]struct {
		open string
		want report.Confidence
	}{
		"no count": {"def open(id), do: DynamicSupervisor.start_child(MyApp.Rooms, {MyApp.Room, id})", report.High},
		"count": {"def open(id) do\n    if DynamicSupervisor.count_children(MyApp.Rooms).active < 50 do\n" +
			"      DynamicSupervisor.start_child(MyApp.Rooms, {MyApp.Room, id})\n    end\n  end", report.Medium},
		"count in a function": {"def open(id), do: room?() && DynamicSupervisor.start_child(MyApp.Rooms, {MyApp.Room, id})\n" +
			"  defp room?, do: DynamicSupervisor.count_children(MyApp.Rooms).active < 50", report.Medium},
		"count elsewhere": {"def open(id), do: DynamicSupervisor.start_child(MyApp.Rooms, {MyApp.Room, id})\n" +
			"  def metrics, do: DynamicSupervisor.count_children(MyApp.Rooms)", report.High},
	} {
		result := reviewed(t, map[string]string{"lib/a.ex": "defmodule MyApp do\n  def children, do: [{DynamicSupervisor, name: MyApp.Rooms}]\n  " + c.open + "\nend\n"})
		if len(result.Findings) != 1 || result.Findings[0].Confidence != c.want {
			t.Errorf("%s: %+v", name, result.Findings)
		} else if says := strings.Contains(result.Findings[0].Message, "count before"); says != (c.want == report.Medium) {
			t.Errorf("%s: %s", name, result.Findings[0].Message)
		}
	}
}
