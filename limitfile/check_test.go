package limitfile

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/headcount-go/headcount"
)

func TestAValueIsReadAsInAFile(t *testing.T) {
	for text, want := range map[string]int{"0": 0, "50_000": 50_000, "2M": 2_000_000, "unlimited": headcount.Unlimited} {
		if got, err := ParseValue(text); err != nil || got != want {
			t.Errorf("%s is %d, error %v", text, got, err)
		}
	}
	if _, err := ParseValue("-1\x1b"); err == nil || err.Error() != `"-1\x1b" is negative; 0 admits nothing, unlimited any number` {
		t.Errorf("error %v", err)
	}
}

// checked tries the text against the tree of a service.
func checked(t *testing.T, text string) ([]Planned, error) {
	t.Helper()
	s := setup(t, text, Config{Logger: quiet})
	if err := s.app.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer s.app.Stop(t.Context())
	planned, err := Check(s.file, s.app.Tree())
	if loaded := s.f.Status().Err; (err == nil) != (loaded == nil) || err != nil && loaded.Error() != err.Error() {
		t.Errorf("the check says %v, loading it %v", err, loaded)
	}
	return planned, err
}

func TestEachThingThatIsWrongIsToldWithItsPlace(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"myapp/usres: {max_children: 1}", `:1:1: there is no supervisor "myapp/usres"; did you mean myapp/users?`},
		{"nothing/like/it: {max_children: 1}", `:1:1: there is no supervisor "nothing/like/it"` + "\n"},
		{"myapp/users:\n  max_childen: 1", `:2:3: myapp/users has no limit "max_childen"; did you mean max_children? (there are max_children, max_per_key)`},
		{"myapp/users:\n  max_children: -5", `:2:17: max_children "-5" is negative`},
		{"myapp/users: {max_children: 60001}", `:1:29: max_children 60001 is above the ceiling 60000 that the program sets at myapp/users`},
		{"myapp/users: {max_children: unlimited}", `max_children unlimited is above the ceiling 60000`},
		{"myapp/u*: {max_children: 70k}", `:1:26: max_children 70000 is above the ceiling 60000 that the program sets at myapp/users`},
		{"myapp/users: {max_children: 1}\nmyapp/users: {max_per_key: 1}", `:2:1: "myapp/users" is there twice, first in line 1`},
		{"myapp/users:\n  max_children: 1\n  max_children: 1", `:3:3: "max_children" is there twice, first in line 2`},
		{"myapp/users: {max_children: {value: 1, value: 2}}", `"value" is there twice`},
		{"myapp/users: {max_children: {value: 1, reson: x}}", `:1:40: there is no field "reson"; did you mean reason?`},
		{"myapp/users: {max_children: {reason: x}}", `:1:15: max_children has no value`},
		{"myapp/users: {max_children: {value: 1, review: soon}}", `:1:48: review "soon" is not a date`},
		{"myapp/users: {max_children: {value: 1, expires: 2026-02-30}}", `expires "2026-02-30" is not a date`},
		{"myapp/users: {max_children: {value: 1, owner: [a, b]}}", `owner is a list; it must be text`},
		{"myapp/users: {max_children: 50Ki}", `"50Ki" is not a number`},
		{"myapp/users: {max_children: 1.5k}", `"1.5k" is not a number`},
		{"myapp/users: {max_children: 1e3}", `"1e3" is not a number`},
		{"myapp/users: {max_children: 0x10}", `"0x10" is not a number`},
		{"myapp/users: {max_children: 010}", `"010" begins with 0`},
		{"myapp/users: {max_children: 5_0}", `"5_0" is not a number`},
		{"myapp/users: {max_children: 999999999999999999999}", `is above 536870910, the largest limit there is`},
		{"myapp/users: {max_children: 999M}", `is above 536870910`},
		{"myapp/users: {max_children: true}", `"true" is not a number`},
		{"myapp/users: {max_children: }", `max_children is empty; it must be a number`},
		{"myapp/users: {max_children: [1]}", `max_children is a list; it must be a number`},
		{"myapp/users: 5", `:1:14: "myapp/users" is "5"; it must be a mapping of its limits`},
		{"myapp/users:", `"myapp/users" is empty; it must be a mapping`},
		{"- myapp", `the file is a list; it must be a mapping of paths`},
		{"hello", `the file is "hello"`},
		{"# nothing", `has nothing in it; if no limit is wanted, write {}`},
		{"myapp/users: &a {max_children: 1}\nmyapp/jobs: *a", `an anchor or alias, which are not read`},
		{"myapp/users: {max_children: !!int 5}", `a tag, which are not read`},
		{"myapp: {max_children: 10}\n---\nmyapp: {max_children: 11}", `a second document begins`},
		{"myapp/users: {max_children: 1", `is not YAML`},
		{"myapp/x*: {max_children: 1}", `:1:1: the pattern "myapp/x*" matches no supervisor`},
		{"myapp/*: {conns: 1}", `myapp/* has no limit "conns"`},
		{"myapp/[: {max_children: 1}", `the path "myapp/[" is not a pattern`},
		{"myapp//users: {max_children: 1}", `has an empty name in it`},
		{"myapp/u**: {max_children: 1}", `has ** as a part of a name`},
		{"myapp/u*: {max_children: 1}\nmyapp/*s: {max_children: 2}", `:2:12: max_children of myapp/users is given by the pattern "myapp/u*" too, in line 1, which is as specific`},
		{strings.Repeat("[", 500_000), `at most 262144 are read`},
		{strings.Repeat("[", 50_000), `is nested too deep`},
		{strings.Repeat("- ", 50_000), `is nested too deep`},
		{"a\x00: {b: \xff}", `is not UTF-8`},
	} {
		_, err := checked(t, c.text)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			name := c.text[:min(len(c.text), 80)]
			t.Errorf("%q:\n got %v\nwant %s", name, err, c.want)
		}
	}
}

func TestAProblemShowsItsLine(t *testing.T) {
	_, err := checked(t, "# limits\nmyapp/users:\n\tmax_children: 1\n")
	if err == nil {
		t.Error("a tab was taken")
	}
	_, err = checked(t, "myapp/users:\n  max_children: 10 # enough\n  max_per_kye: 1\n")
	var p *Problem
	if !errors.As(err, &p) {
		t.Fatal(err)
	}
	want := "  2 |   max_children: 10 # enough\n> 3 |   max_per_kye: 1\n    |   ^\n"
	if p.Excerpt != want {
		t.Errorf("got\n%swant\n%s", p.Excerpt, want)
	}
}

func TestAllProblemsAreToldAndTheReportIsBounded(t *testing.T) {
	var b strings.Builder
	for i := range 300 {
		fmt.Fprintf(&b, "myapp/none%d: {max_children: 1}\n", i)
	}
	_, err := checked(t, b.String())
	var e *Error
	if !errors.As(err, &e) || e.Total != 300 || len(e.Problems) != 100 || !strings.HasSuffix(err.Error(), "and 200 more") {
		t.Errorf("%v", err)
	}
}

func TestACheckTellsWhatWouldBeSet(t *testing.T) {
	planned, err := checked(t, "myapp/users: {max_per_key: 3, max_children: 50k}\nmyapp/jobs: {max_children: {value: 9, expires: 2020-01-01}}\nmyapp/jobs/later: {any_name: 5}\n")
	if err != nil {
		t.Fatal(err)
	}
	// The file has been loaded, so that the limits are there already.
	want := []Planned{{"myapp/users", "max_children", 50_000, 50_000, 1}, {"myapp/users", "max_per_key", 3, 3, 1}}
	if fmt.Sprint(planned) != fmt.Sprint(want) {
		t.Errorf("%+v", planned)
	}
}

func TestWhatIsNoFileIsNotWaitedFor(t *testing.T) {
	done := make(chan error, 1)
	go func() {
		_, err := Check(t.TempDir(), headcount.TreeNode{})
		done <- err
	}()
	select {
	case err := <-done:
		if err == nil || !strings.Contains(err.Error(), "not a regular file") {
			t.Error(err)
		}
	case <-time.After(10 * time.Second):
		t.Error("it hangs")
	}
}

// FuzzAFileIsTakenAsAWholeOrNotAtAll: no text makes the reader panic, what it takes is within the bounds, and what it
// does not take has a problem with a place in the text.
func FuzzAFileIsTakenAsAWholeOrNotAtAll(f *testing.F) {
	for _, s := range []string{
		"myapp/users: {max_children: 50k, max_per_key: 8}\n", "myapp/*:\n  max_children:\n    value: 5\n    review: 2027-01-01\n", "{}", "", "# x", "a: &b [c, *b]",
		"\"**\": {max_children: 1}", "? a\n: b", "- - - a", "a: |\n  b\n c", "{a: {b: {c: d}}}", "a: !!x y", "<<: *a", "a: 'b", "%YAML 1.2\n---\na: 1", "a: \"\\x", "{[a: b", "\ufeffmyapp: {max_children: 3}",
	} {
		f.Add([]byte(s))
	}
	jobs := headcount.NewDynamicSupervisor("jobs", headcount.MaxChildren(64, headcount.Ceiling(1000)))
	app := headcount.NewSupervisor("myapp", headcount.SupervisorConfig{Logger: quiet}, jobs, headcount.NewKeyedSupervisor[int]("users", headcount.MaxChildren(10), headcount.MaxPerKey(2)))
	if err := app.Start(f.Context()); err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = app.Stop(f.Context()) })
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, data []byte) {
		file := filepath.Join(dir, fmt.Sprint(os.Getpid()))
		if err := os.WriteFile(file, data, 0o600); err != nil {
			t.Fatal(err)
		}
		for n := range app.All() {
			for _, l := range n.Limits() {
				if err := l.Set(l.Snapshot().InCode, headcount.Change{}); err != nil {
					t.Fatal(err)
				}
			}
		}
		before := settings(app)
		k := New("limits", file, Config{Logger: quiet})
		watchdog := time.AfterFunc(5*time.Second, func() { panic(fmt.Sprintf("it takes too long to read %q", data)) })
		err := k.load(app, true)
		watchdog.Stop()
		if err != nil {
			if after := settings(app); after != before {
				t.Fatalf("in spite of %v the limits have changed from %s to %s", err, before, after)
			}
			var e *Error
			if !errors.As(err, &e) || e.Total == 0 || len(e.Problems) > maxProblems {
				t.Fatalf("%T %v", err, err)
			}
			for _, p := range e.Problems {
				if p.Line < 0 || p.Line > strings.Count(string(data), "\n")+strings.Count(string(data), "\r")+2 || len(p.Excerpt) > 4096 || len(p.Message) > 4096 {
					t.Fatalf("%+v", p)
				}
			}
			return
		}
		for n := range app.All() {
			for _, l := range n.Limits() {
				if s := l.Snapshot(); s.InForce < 0 || s.InForce > s.Ceiling {
					t.Fatalf("%s of %s is %d", s.Name, n.Path(), s.InForce)
				}
			}
		}
	})
}

func settings(app headcount.Node) string {
	var b strings.Builder
	for n := range app.All() {
		for _, l := range n.Limits() {
			fmt.Fprintf(&b, "%s %s=%d ", n.Path(), l.Name(), l.Value())
		}
	}
	return b.String()
}

func TestAllThatIsWrongIsToldAtOnceInTheOrderOfTheFile(t *testing.T) {
	_, err := checked(t, "myapp/usres: {max_children: 5}\nmyapp/jobs: {max_children: -3}\nmyapp/users: {max_childern: 5}\n")
	var e *Error
	if !errors.As(err, &e) {
		t.Fatalf("error %v", err)
	}
	var lines []int
	for _, p := range e.Problems {
		lines = append(lines, p.Line)
	}
	if !slices.Equal(lines, []int{1, 2, 3}) {
		t.Errorf("problems in the lines %v:\n%v", lines, err)
	}
}
