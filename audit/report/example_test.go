package report

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the files in testdata")

// example is a report with one of everything.
func example() *Report {
	r := New([]string{"./..."}, Result{
		Findings: []Finding{
			{
				Rule: "HC104", Position: Position{File: "internal/store/import.go", Line: 88, Column: 4}, Symbol: "store.Import",
				Message: "a goroutine for each row of a file", Remedy: "g.SetLimit(16)", Confidence: Medium, Criticality: Unbounded, Code: "\t\t\tgo load(row)",
			},
			{
				Rule: "HC201", Position: Position{File: "lib/chat/application.ex", Line: 12, Column: 7, EndLine: 14}, Symbol: "Chat.Application.start/2",
				Message: "DynamicSupervisor Chat.Rooms has no max_children", Remedy: "{DynamicSupervisor,\n name: Chat.Rooms, max_children: 1_000}",
				Confidence: High, Criticality: External, Code: "      {DynamicSupervisor, name: Chat.Rooms}",
				Reach: []Step{
					{"router", Position{File: "lib/chat_web/endpoint.ex", Line: 4, Column: 3}},
					{"UserSocket", Position{File: "lib/chat_web/user_socket.ex", Line: 1}},
					{"RoomChannel.join", Position{File: "lib/chat_web/room_channel.ex", Line: 9, Column: 3}},
				},
			},
			{
				Rule: "HC104", Position: Position{File: "cmd/tool/main.go", Line: 20, Column: 2}, Symbol: "main.main", Message: "a goroutine for each argument",
				Confidence: Low, Criticality: Internal, Code: "\tgo check(arg)",
			},
		},
		Supervisors: []Supervisor{
			{
				Position: Position{File: "lib/chat/application.ex", Line: 20, Column: 7}, Language: "elixir", Kind: "Task.Supervisor", Name: "Chat.Tasks",
				Symbol: "Chat.Application.start/2", Restarts: "3 in 5s", Limit: Limit{Set, 800, "100 x 8 partitions"}, Criticality: Internal,
			},
			{
				Position: Position{File: "lib/chat/application.ex", Line: 12, Column: 7}, Language: "elixir", Kind: "DynamicSupervisor", Name: "Chat.Rooms",
				Symbol: "Chat.Application.start/2", Strategy: "one_for_one", Limit: Limit{State: Unlimited}, Criticality: External,
			},
			{
				Position: Position{File: "lib/chat/jobs.ex", Line: 5, Column: 3}, Language: "elixir", Kind: "DynamicSupervisor", Symbol: "Chat.Jobs.init/1",
				Limit: Limit{State: LimitNotKnown, Text: "opts[:most]"},
			},
		},
		Unread: []Unread{{Position{File: "lib/chat/broken.ex", Line: 3}, "a string that does not end"}},
	}, []Rule{
		{ID: "HC104", Name: "go-in-loop", Summary: "A goroutine for each round of a loop", Confidence: Medium, Page: "# HC104\n\nThe page."},
		{ID: "HC201", Name: "no-max-children", Summary: "A supervisor without max_children", Confidence: High, Page: "# HC201\n\nThe page."},
	})
	r.Accepted = []Accepted{{
		Finding{
			Rule: "HC104", Position: Position{File: "main.go", Line: 7, Column: 1}, Symbol: "main.main", Message: "a goroutine for each listener",
			Confidence: High, Criticality: Internal, Code: "go serve(l)",
		},
		ByComment, "the listeners are in the configuration",
	}}
	r.Hidden = Hidden{Unsure: 2, Gone: 1}
	return r
}

// hostile is a report over code whose author wants to be something else than text.
func hostile() *Report {
	bad := "a|b `c` <img src=x> *d* ::error::no \x1b[2J\u009b2J\x7f\U000e0041\r\n::set-output name=x::y\n\u202e[e](http://f) @all ##[error]x \xff"
	return New([]string{bad}, Result{
		Findings: []Finding{{
			Rule: "HC104", Position: Position{File: "::x,y:" + bad + ".go", Line: 3, Column: 2}, Symbol: bad, Message: bad, Remedy: "```\n" + bad,
			Confidence: High, Criticality: External, Code: bad, Reach: []Step{{bad, Position{File: bad, Line: 1}}},
		}},
		Supervisors: []Supervisor{{
			Position: Position{File: bad}, Language: "go", Kind: bad, Name: bad, Strategy: bad, Restarts: bad, Symbol: bad, Limit: Limit{Expression, 0, bad},
			Reach: []Step{{Name: bad}},
		}},
		Unread: []Unread{{Position{File: bad}, bad}},
	}, []Rule{{ID: "HC104", Name: "go-in-loop", Summary: "A goroutine for each round", Confidence: High}})
}

func written(t *testing.T, format string, r *Report) string {
	t.Helper()
	var b strings.Builder
	if err := Write(&b, format, r); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// golden compares with a file of testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s is not what is written now (go test -update writes it):\n%s", file, got)
	}
}
