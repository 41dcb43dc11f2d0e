package rules

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/headcount-go/headcount"
	inside "github.com/headcount-go/headcount/alert"
	"github.com/headcount-go/headcount/metrics/prom"
)

func write(t *testing.T, dir string, f File) (path string, text []byte) {
	t.Helper()
	var b bytes.Buffer
	if err := f.Write(&b); err != nil {
		t.Fatal(err)
	}
	path = filepath.Join(dir, "rules.yaml")
	if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return path, b.Bytes()
}

// promtool runs it, and skips the test where it is missing.
func promtool(t *testing.T, args ...string) {
	t.Helper()
	path, err := exec.LookPath("promtool")
	if err != nil {
		t.Skip("promtool is not installed: the Debian package prometheus has it")
	}
	if out, err := exec.CommandContext(t.Context(), path, args...).CombinedOutput(); err != nil {
		t.Errorf("promtool %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

func TestPromtoolAcceptsTheRules(t *testing.T) {
	for name, f := range map[string]File{
		"any tree": For(Any, Defaults()),
		"one tree": For(read(t, service(t)), Defaults()),
		"options":  For(Any, Options{Near: 0.9, Refusing: 0.01, Match: `job="my\"app", instance=~"a.*"`, Runbook: "https://example.org/runbook"}),
	} {
		t.Run(name, func(t *testing.T) {
			path, _ := write(t, t.TempDir(), f)
			promtool(t, "check", "rules", path)
		})
	}
}

func TestEachAlertFiresWhenItShouldAndOnlyThen(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, For(Any, Defaults()))
	raw, err := os.ReadFile("testdata/alerts.test.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range allRules(For(Any, Defaults())) {
		if r.Alert != "" && !bytes.Contains(raw, []byte(`{alertname="`+r.Alert+`"}', value: 1}`)) {
			t.Errorf("no case in which %s fires", r.Alert)
		}
	}
	path := filepath.Join(dir, "alerts.test.yaml")
	if err := os.WriteFile(path, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	promtool(t, "test", "rules", path)
}

func allRules(f File) (rules []Rule) {
	for _, g := range f.Groups {
		rules = append(rules, g.Rules...)
	}
	return rules
}

func TestEachAlertSaysWhatItIsAndWhereToReadOn(t *testing.T) {
	runbook, err := os.ReadFile("../../../../docs/runbook.md")
	if err != nil {
		t.Fatal(err)
	}
	headings := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^#+ (Headcount\w+)$`).FindAllStringSubmatch(string(runbook), -1) {
		headings[m[1]] = true
	}
	for _, r := range allRules(For(Any, Defaults())) {
		if r.Alert == "" {
			continue
		}
		for _, key := range []string{"summary", "description", "runbook_url"} {
			if r.Annotations[key] == "" {
				t.Errorf("%s has no %s", r.Alert, key)
			}
		}
		if !slices.Contains([]string{info, warning, critical}, r.Labels["severity"]) {
			t.Errorf("%s has the severity %q", r.Alert, r.Labels["severity"])
		}
		if want := Runbook + "#" + strings.ToLower(r.Alert); r.Annotations["runbook_url"] != want {
			t.Errorf("%s leads to %s, want %s", r.Alert, r.Annotations["runbook_url"], want)
		}
		if !headings[r.Alert] {
			t.Errorf("docs/runbook.md has no section %s", r.Alert)
		}
		delete(headings, r.Alert)
	}
	if len(headings) > 0 {
		t.Errorf("docs/runbook.md has sections for no alert: %v", slices.Collect(maps.Keys(headings)))
	}
}

// Who reads the runbook, or changes from one to the other, finds the same alerts.
func TestTheAlertsInsideTheProcessAreTheSame(t *testing.T) {
	severities := map[string]string{"HeadcountNotAllShown": string(inside.Info)} // which is no rule that could be left out there
	for _, r := range inside.Rules() {
		severities[r.Name] = string(r.Severity)
	}
	for _, r := range allRules(For(Any, Defaults())) {
		if r.Alert == "" {
			continue
		}
		if severity, ok := severities[r.Alert]; !ok || severity != r.Labels["severity"] {
			t.Errorf("%s is %s here and %q in package alert", r.Alert, r.Labels["severity"], severity)
		}
		delete(severities, r.Alert)
	}
	for name := range severities {
		t.Errorf("package alert has %s, and headcount rules has not", name)
	}
}

var metricName = regexp.MustCompile(`[a-z0-9_:]*headcount_[a-z0-9_:]+`)

func TestTheRulesUseMetricsThatExist(t *testing.T) {
	exists := exported()
	for _, f := range []File{For(Any, Defaults()), For(Tree{}, Defaults())} {
		for _, r := range allRules(f) {
			if r.Record != "" {
				exists[r.Record] = true
			}
		}
		for _, r := range allRules(f) {
			for _, name := range metricName.FindAllString(r.Expr, -1) {
				if !exists[name] {
					t.Errorf("%s%s uses %s, which nobody makes", r.Record, r.Alert, name)
				}
			}
		}
	}
}

// exported are the metrics of metrics/prom.
func exported() map[string]bool {
	descs := make(chan *prometheus.Desc, 1000)
	prom.NewCollector(prom.Config{}, headcount.NewDynamicSupervisor("jobs", headcount.MaxChildren(1))).Describe(descs)
	close(descs)
	names := map[string]bool{}
	for d := range descs {
		name := strings.Split(d.String(), `"`)[1]
		names[name] = true
		if strings.HasSuffix(name, "_seconds") { // the histograms, and what looks like them
			names[name+"_bucket"] = true
		}
	}
	return names
}

// service is the tree of a program, as JSON.
func service(t *testing.T) []byte {
	t.Helper()
	root := headcount.NewSupervisor("my.app", headcount.SupervisorConfig{Logger: slog.New(slog.NewTextHandler(io.Discard, nil))},
		headcount.ChildSpec{Name: "store", Run: func(ctx context.Context) error { <-ctx.Done(); return nil }},
		headcount.NewDynamicSupervisor("jobs", headcount.MaxChildren(64), headcount.Wait(10, time.Second)),
		headcount.NewKeyedSupervisor[string]("users", headcount.MaxChildren(headcount.Unlimited), headcount.MaxPerKey(8)))
	if err := root.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer root.Stop(context.Background())
	raw, err := json.Marshal(root.Tree())
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func read(t *testing.T, raw []byte) Tree {
	t.Helper()
	tree, err := ReadTree(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

func TestRulesAreMadeForTheTreeAtHand(t *testing.T) {
	tree := read(t, service(t))
	if !slices.Equal(tree.Roots, []string{"my.app"}) || !slices.Equal(tree.Fixed, []string{"my.app"}) || !tree.Queues || tree.Subtrees {
		t.Fatalf("read %+v", tree)
	}
	rules := allRules(For(tree, Options{Near: 0.9, Refusing: 0.05, Match: `job="myapp"`}))
	expr := map[string]string{}
	for _, r := range rules {
		expr[r.Alert+r.Record] = r.Expr
	}
	if _, made := expr["HeadcountSubtreeFull"]; made {
		t.Error("there is an alert for subtrees, of which none has a limit")
	}
	if _, made := expr["HeadcountQueueNearFull"]; !made {
		t.Error("there is no alert for the queue")
	}
	const all = `{job="myapp",supervisor=~"(my\\.app)(/.*)?"`
	if want := "supervisor:headcount_children:ratio" + all + `,supervisor!~"my\\.app"} >= 0.9` + "\nand headcount_children_limit" + all + "} >= 5"; expr["HeadcountNearLimit"] != want {
		t.Errorf("near the limit is\n%s\nwant\n%s", expr["HeadcountNearLimit"], want)
	}
	if want := "headcount_supervisor_unlimited" + all + "} == 1"; expr["HeadcountUnlimited"] != want {
		t.Errorf("unlimited is\n%s\nwant\n%s", expr["HeadcountUnlimited"], want)
	}
}

func TestReadTreeTakesAListAndTellsWhatIsWrong(t *testing.T) {
	one := service(t)
	if tree := read(t, []byte(" [ "+string(one)+`,{"path":"other","kind":2,"descendants":-1}]`)); !slices.Equal(tree.Roots, []string{"my.app", "other"}) {
		t.Errorf("roots are %v", tree.Roots)
	}
	for text, want := range map[string]string{
		"":                "not the JSON",
		"{":               "not the JSON",
		"[]":              "empty",
		"{}":              "no Path",
		`{"Path": 7}`:     "not the JSON",
		`{"a":1} {"b":2}`: "not the JSON",
	} {
		if _, err := ReadTree(strings.NewReader(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want one that says %q", text, err, want)
		}
	}
}

func TestOptionsAreChecked(t *testing.T) {
	if err := Defaults().Check(); err != nil {
		t.Error(err)
	}
	for _, o := range []Options{{Near: 0, Refusing: 0.1}, {Near: 1.1, Refusing: 0.1}, {Near: 1, Refusing: 1}, {Near: 1, Refusing: 0.1, Match: "{a=\"b\"}"}} {
		if o.Check() == nil {
			t.Errorf("%+v is accepted", o)
		}
	}
}

func FuzzReadTree(f *testing.F) {
	f.Add([]byte(`{"Path":"app","Kind":1,"Children":[{"Path":"app/jobs","Kind":2,"Queue":4,"Descendants":3}]}`))
	f.Add([]byte(`[{"path":"a\"b\\"}]`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		tree, err := ReadTree(bytes.NewReader(raw))
		if err != nil {
			return
		}
		if err := For(tree, Defaults()).Write(io.Discard); err != nil {
			t.Errorf("%q: %v", raw, err)
		}
	})
}
