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

var erlWant = regexp.MustCompile(`% want (HC\d+) "([^"]*)"`)

// erlProgramAt reviews a program of testdata/erlang. Each line has the comment `% want RULE "part of the message"` for what
// must be found there, and nothing else may be.
func erlProgramAt(t *testing.T, program string) report.Result {
	t.Helper()
	dir := filepath.Join("testdata", "erlang", program)
	files, err := filepath.Glob(dir + "/*/*")
	if err != nil || len(files) == 0 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	want := map[string]string{}
	for i, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		files[i] = strings.TrimPrefix(filepath.ToSlash(f), filepath.ToSlash(dir)+"/")
		for n, line := range strings.Split(string(text), "\n") {
			for _, w := range erlWant.FindAllStringSubmatch(line, -1) {
				want[fmt.Sprintf("%s:%d %s", files[i], n+1, w[1])] = w[2]
			}
		}
	}
	result, err := Review(t.Context(), dir, files, Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range result.Findings {
		key := fmt.Sprintf("%s:%d %s", f.File, f.Line, f.Rule)
		switch w, ok := want[key]; {
		case !ok:
			t.Errorf("%s: found without need: %s", key, f.Message)
		case !strings.Contains(told(f), w):
			t.Errorf("%s: it says %q, want %q in it", key, told(f), w)
		}
		delete(want, key)
		if f.Symbol == "" || f.Remedy == "" || f.Code == "" {
			t.Errorf("%s lacks a part: %+v", key, f)
		}
		if !slices.ContainsFunc(Rules(), func(r report.Rule) bool { return r.ID == f.Rule && f.Confidence <= r.Confidence }) {
			t.Errorf("%s: no rule is as sure as its finding", key)
		}
	}
	for key := range want {
		t.Errorf("%s: not found", key)
	}
	return result
}

// erlRows writes the inventory, a line for each.
func erlRows(r report.Result) string {
	var b strings.Builder
	for _, s := range r.Supervisors {
		limit := map[report.LimitState]string{
			report.LimitNotKnown: "not known", report.Set: fmt.Sprint(s.Value), report.Unlimited: "unlimited", report.NotApplicable: "declared",
		}[s.State]
		fmt.Fprintf(&b, "%s|%s|%s|%s|%s\n", s.Kind, s.Name, s.Strategy, s.Restarts, limit)
	}
	return b.String()
}

func TestErlangApplicationIsReviewedWithTheWaysThroughIt(t *testing.T) {
	result := erlProgramAt(t, "chat")
	want := `Cowboy listener|chat_http|||unlimited
Cowboy listener|chat_https|||1024
Ranch listener|chat_tcp|||400
simple_one_for_one||simple_one_for_one|1 in 5s|unlimited
simple_one_for_one|chat_rooms|simple_one_for_one|5 in 10s|unlimited
supervisor|chat_sup|one_for_one|1000000 in 1s|declared
`
	if got := erlRows(result); got != want {
		t.Errorf("inventory:\n%s\nwant\n%s", got, want)
	}
	if len(result.Unread) != 1 || result.Unread[0].File != "src/chat_broken.erl" || result.Unread[0].Line != 9 {
		t.Errorf("unread: %+v", result.Unread)
	}
	for _, f := range result.Findings {
		if f.Rule == "HC240" && f.Symbol == "chat_room_sup:init/1" && (f.Criticality != report.External || f.Severity() != report.Error) {
			t.Errorf("what a websocket starts is %v, severity %v", f.Criticality, f.Severity())
		}
	}
}

func TestErlangProgramThatCountsIsDoubted(t *testing.T) {
	for _, f := range erlProgramAt(t, "limited").Findings {
		if f.Confidence != report.Low {
			t.Errorf("%v %s: confidence %v", f.Position, f.Rule, f.Confidence)
		}
	}
}

// erlReviewed reviews modules that are given as text.
func erlReviewed(t *testing.T, modules map[string]string) report.Result {
	t.Helper()
	dir := t.TempDir()
	var files []string
	for name, text := range modules {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		files = append(files, name)
	}
	slices.Sort(files)
	result, err := Review(t.Context(), dir, files, Options{})
	if err != nil {
		t.Fatal(err)
	}
	return result
}

func TestErlangHandlerIsKnownByItsRouteAlone(t *testing.T) {
	const handler = "-module(cart).\n-export([init/2]).\ninit(Req, State) -> {ok, _} = carts:open(1), {ok, Req, State}.\n"
	const carts = "-module(carts).\n-behaviour(supervisor).\n" +
		"open(Id) -> supervisor:start_child(?MODULE, [Id]).\n" +
		"init([]) -> {ok, {#{strategy => simple_one_for_one}, [#{id => cart, start => {cart_worker, start_link, []}}]}}.\n"
	for name, routes := range map[string]string{
		"in the call":              `start() -> cowboy_router:compile([{'_', [{"/cart/:id", cart, []}]}]).`,
		"with constraints":         `start() -> cowboy_router:compile([{'_', [{"/cart/:id", [{id, int}], cart, []}]}]).`,
		"in a function of its own": "start() -> cowboy_router:compile([{'_', paths()}]).\npaths() -> [{\"/cart/:id\", cart, #{}}].",
	} {
		result := erlReviewed(t, map[string]string{"app.erl": "-module(app).\n" + routes + "\n", "cart.erl": handler, "carts.erl": carts})
		if len(result.Findings) != 1 {
			t.Errorf("%s: %+v", name, result.Findings)
			continue
		}
		f := result.Findings[0]
		if f.Rule != "HC240" || f.Criticality != report.External || f.Reach[0].Name != "route /cart/:id" {
			t.Errorf("%s: %s is %v, by way of %+v", name, f.Rule, f.Criticality, f.Reach)
		}
	}
}

func TestErlangFileThatIsTooLargeOrBinaryIsNamed(t *testing.T) {
	result := erlReviewed(t, map[string]string{"a.erl": "f() -> \x00.\n", "b.erl": "-module(b).\n" + strings.Repeat("%", 9<<20)})
	if len(result.Unread) != 2 {
		t.Fatalf("unread: %+v", result.Unread)
	}
}
