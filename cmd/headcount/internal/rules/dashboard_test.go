package rules

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"
)

// dashboard is what is looked at of Grafana's model.
type dashboard struct {
	Title         string
	SchemaVersion int
	Panels        []struct {
		ID         int
		Type       string
		Title      string
		Datasource struct{ UID string }
		GridPos    struct{ X, Y, W, H int }
		Targets    []struct{ RefID, Expr, LegendFormat string }
	}
	Templating struct {
		List []struct {
			Type, Name string
			Definition string
		}
	}
	Annotations struct{ List []struct{ Expr string } }
}

func made(t *testing.T, tree Tree, o Options) dashboard {
	t.Helper()
	var b bytes.Buffer
	if err := Dashboard(&b, tree, o); err != nil {
		t.Fatal(err)
	}
	var d dashboard
	if err := json.Unmarshal(b.Bytes(), &d); err != nil {
		t.Fatal(err)
	}
	return d
}

func TestTheDashboardIsWellFormed(t *testing.T) {
	d := made(t, Any, Defaults())
	if d.Title == "" || d.SchemaVersion < 36 || len(d.Panels) < 10 {
		t.Errorf("title %q, schema %d, %d panels", d.Title, d.SchemaVersion, len(d.Panels))
	}
	ids, taken := map[int]bool{}, map[string]string{}
	for _, p := range d.Panels {
		if ids[p.ID] || p.ID == 0 {
			t.Errorf("panel %q has the id %d, which is zero or taken", p.Title, p.ID)
		}
		ids[p.ID] = true
		if p.Title == "" || p.Datasource.UID != "${datasource}" || len(p.Targets) == 0 {
			t.Errorf("panel %d has the title %q, data source %q, %d queries", p.ID, p.Title, p.Datasource.UID, len(p.Targets))
		}
		if g := p.GridPos; g.X < 0 || g.W < 1 || g.X+g.W > boardWidth || g.H < 1 {
			t.Errorf("panel %q is at %+v, outside", p.Title, g)
		}
		for x := p.GridPos.X; x < p.GridPos.X+p.GridPos.W; x++ {
			for y := p.GridPos.Y; y < p.GridPos.Y+p.GridPos.H; y++ {
				at := fmt.Sprint(x, ",", y)
				if other := taken[at]; other != "" {
					t.Fatalf("panels %q and %q overlap at %s", other, p.Title, at)
				}
				taken[at] = p.Title
			}
		}
		refs := map[string]bool{}
		for _, q := range p.Targets {
			if refs[q.RefID] || q.RefID == "" || q.Expr == "" {
				t.Errorf("panel %q has the query %+v, without or with a double name", p.Title, q)
			}
			refs[q.RefID] = true
		}
	}
	names := map[string]bool{}
	for _, v := range d.Templating.List {
		names[v.Name] = true
	}
	for _, used := range []string{"datasource", "job", "instance", "supervisor"} {
		if !names[used] {
			t.Errorf("the variable %s is used and not there", used)
		}
	}
}

var labelOfLegend = regexp.MustCompile(`\{\{(\w+)\}\}`)

func TestTheDashboardAsksForWhatExists(t *testing.T) {
	d := made(t, Any, Defaults())
	exists := exported()
	var asked []Rule
	ask := func(expr string) {
		for _, name := range metricName.FindAllString(expr, -1) {
			if !exists[name] {
				t.Errorf("%s is asked for, which nobody makes", name)
			}
		}
		// As rules, so that promtool parses them.
		plain := strings.NewReplacer("$__rate_interval", "5m", "$job", ".*", "$instance", ".*", "$supervisor", ".*").Replace(expr)
		if strings.Contains(plain, "$") {
			t.Errorf("%s has a variable that is not there", expr)
		}
		asked = append(asked, Rule{Record: fmt.Sprint("panel:", len(asked)), Expr: plain})
	}
	for _, p := range d.Panels {
		for _, q := range p.Targets {
			ask(q.Expr)
			for _, m := range labelOfLegend.FindAllStringSubmatch(q.LegendFormat, -1) {
				if !regexp.MustCompile(`by \([^)]*\b` + m[1] + `\b`).MatchString(q.Expr) {
					t.Errorf("panel %q: the legend names %s, which %s has not", p.Title, m[1], q.Expr)
				}
			}
		}
	}
	for _, a := range d.Annotations.List {
		ask(a.Expr)
	}
	for _, v := range d.Templating.List {
		if inner, ok := strings.CutPrefix(v.Definition, "label_values("); ok {
			ask(inner[:strings.LastIndex(inner, ",")])
		}
	}
	path, _ := write(t, t.TempDir(), File{Groups: []Group{{Name: "dashboard", Rules: asked}}})
	promtool(t, "check", "rules", path)
}

func TestTheDashboardIsMadeForTheTreeAtHand(t *testing.T) {
	d := made(t, read(t, service(t)), Options{Match: `env="live"`})
	if d.Title != "Headcount: my.app" {
		t.Errorf("title %q", d.Title)
	}
	titles := map[string]bool{}
	for _, p := range d.Panels {
		titles[p.Title] = true
	}
	if !titles["Waiting for a slot"] || titles["Subtrees"] || titles["Gates"] || titles["Memory charged"] {
		t.Errorf("panels are %v, want those of a queue and none of subtrees, gates and memory", titles)
	}
	last := d.Templating.List[len(d.Templating.List)-1]
	if want := `label_values(headcount_children{env="live",supervisor=~"(my\\.app)(/.*)?",job=~"$job",instance=~"$instance"}, supervisor)`; last.Definition != want {
		t.Errorf("supervisors to choose from are\n%s\nwant\n%s", last.Definition, want)
	}
}
