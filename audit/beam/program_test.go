package beam

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/headcount-go/headcount/audit/report"
)

// sourcesOf returns the files below a directory, as the caller of Review would.
func sourcesOf(t *testing.T, dir string) []string {
	t.Helper()
	var names []string
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			name, _ := filepath.Rel(dir, path)
			names = append(names, filepath.ToSlash(name))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

var wantComment = regexp.MustCompile(`# want (HC\d+) "([^"]*)"`)

// testProgram reviews a program of testdata. Each line has the comments `# want RULE "part of the message"` for what must be
// found there, and nothing else may be.
func testProgram(t *testing.T, program string) report.Result {
	t.Helper()
	dir := filepath.Join("testdata", program)
	names := sourcesOf(t, dir)
	result := reviewedDir(t, dir, names)
	got := map[string]report.Finding{}
	for _, f := range result.Findings {
		got[fmt.Sprintf("%s:%d %s", f.File, f.Line, f.Rule)] = f
	}
	for _, name := range names {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		for i, line := range strings.Split(string(text), "\n") {
			for _, want := range wantComment.FindAllStringSubmatch(line, -1) {
				key := fmt.Sprintf("%s:%d %s", name, i+1, want[1])
				f, ok := got[key]
				delete(got, key)
				if !ok {
					t.Errorf("%s: not found", key)
				} else if !strings.Contains(told(f), want[2]) {
					t.Errorf("%s: it says %q, want %q in it", key, told(f), want[2])
				}
			}
		}
	}
	for key, f := range got {
		t.Errorf("%s: found without need: %s", key, f.Message)
	}
	for _, f := range result.Findings {
		if f.Symbol == "" || f.Remedy == "" || f.Code == "" || f.Confidence == 0 {
			t.Errorf("%v %s lacks a part: %+v", f.Position, f.Rule, f)
		}
		if !slices.ContainsFunc(Rules(), func(r report.Rule) bool { return r.ID == f.Rule && f.Confidence <= r.Confidence }) {
			t.Errorf("%v: no rule %s is as sure as its finding", f.Position, f.Rule)
		}
	}
	return result
}

// told is what a finding says, with the way to its place.
func told(f report.Finding) string { return f.Message + ": " + report.Way(f.Reach) }

func TestPhoenixApplicationIsReviewedWithTheWaysThroughIt(t *testing.T) {
	result := testProgram(t, "chat")
	equal(t, "inventory", rows(result), []string{
		"Oban queue | default |  |  | 10 (10 on each node)",
		"Oban queue | mailers |  |  | 20 (20 on each node)",
		"Oban queue | imports |  |  | 5000 (5_000 on each node)",
		"Bandit listener | ChatWeb.Endpoint |  |  | 1638400 (16384 by default for each of 100 acceptors, 1638400 in total)",
		"Task.Supervisor | Chat.TaskSupervisor | one_for_one | 3 in 5s | 100",
		"DynamicSupervisor | Chat.Uploads | one_for_one | 3 in 5s | 25",
		"PartitionSupervisor of DynamicSupervisor | Chat.Presences | one_for_one | 3 in 5s | unlimited (by default, in each of System.schedulers_online() partitions)",
		"DynamicSupervisor | Chat.Plugins | one_for_one | 3 in 5s | unlimited (by default)",
		"Supervisor | Chat.Supervisor | one_for_one | 3 in 5s | declared",
		"DynamicSupervisor | Chat.Rooms.Supervisor | one_for_one | 1000000 in 1s | unlimited (by default)",
	})
}

func TestUmbrellaProjectIsReadAsOneWithItsConfiguration(t *testing.T) {
	equal(t, "inventory", rows(testProgram(t, "umbrella")), []string{
		"Task.Supervisor | Core.Jobs | one_for_one | 3 in 5s | 40",
		"Task.Supervisor | Core.Mail | one_for_one | 3 in 5s | not known",
		"DynamicSupervisor | Core.Feeds | one_for_one | 3 in 5s | unlimited (:infinity)",
		"Supervisor |  | one_for_one | 3 in 5s | declared",
		"DynamicSupervisor | Core.Sessions | one_for_one | 20 in 5s | 5000 (5_000)",
	})
}

func TestProgramWithLimitsIsClean(t *testing.T) {
	equal(t, "inventory", rows(testProgram(t, "limited")), []string{
		"Oban queue | default |  |  | 10 (10 on each node)",
		"Plug.Cowboy listener | Shop.Endpoint |  |  | 5000 (5_000)",
		"DynamicSupervisor | Shop.Carts | one_for_one | 3 in 5s | 10000 (10_000)",
		"Task.Supervisor | Shop.Tasks | one_for_one | 3 in 5s | 200",
		"Bandit listener | Shop.Admin |  |  | 200 (50 for each of 4 acceptors, 200 in total)",
		"Supervisor |  | one_for_one | 10 in 60s | declared",
	})
}

func TestUnreadableFileIsNamedWithItsLineAndFailsNothingElse(t *testing.T) {
	result := testProgram(t, "broken")
	if len(result.Unread) != 1 || result.Unread[0].File != "lib/broken.ex" || result.Unread[0].Line != 4 || result.Unread[0].Reason == "" {
		t.Errorf("unread: %+v", result.Unread)
	}
	equal(t, "inventory", rows(result), []string{"DynamicSupervisor | Whole.Rooms | one_for_one | 3 in 5s | unlimited (by default)"})
}
