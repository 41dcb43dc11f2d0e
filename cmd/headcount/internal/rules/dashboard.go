package rules

import (
	"encoding/json"
	"io"
	"strings"
)

// Dashboard writes a Grafana dashboard for the tree, as JSON to import or to provision. It reads the metrics themselves,
// not the recorded series, so that it works without the rules.
func Dashboard(w io.Writer, t Tree, o Options) error {
	b := &board{tree: t, options: o}
	b.panels()
	title := "Headcount"
	if len(t.Roots) > 0 {
		title += ": " + strings.Join(t.Roots, ", ")
	}
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(object{
		"title": title, "uid": nil, "id": nil, "schemaVersion": 39, "version": 1, "editable": true, "tags": list{"headcount"},
		"timezone": "browser", "refresh": "30s", "graphTooltip": 1,
		"time":        object{"from": "now-1h", "to": "now"},
		"description": "Supervisors, their limits and what they refuse. Made by headcount dashboard.",
		"annotations": object{"list": list{object{
			"name": "Limits changed", "enable": true, "iconColor": "purple", "datasource": datasource,
			"expr":        "sum by (supervisor, source) (changes(" + b.of("headcount_limit_changes_total") + "[1m])) > 0",
			"titleFormat": "{{supervisor}}: limit changed ({{source}})",
		}}},
		"templating": object{"list": b.variables()},
		"panels":     b.made,
	})
}

type (
	object = map[string]any
	list   = []any
)

// datasource is the one that is chosen on the dashboard.
var datasource = object{"type": "prometheus", "uid": "${datasource}"}

const (
	boardWidth = 24
	statHeight = 4
	plotHeight = 8
)

// A board lays panels out from left to right.
type board struct {
	tree    Tree
	options Options
	made    list
	x, y    int
	height  int // of the row
}

// of is a selector of what is chosen on the dashboard.
func (b *board) of(name string, more ...string) string {
	matchers := []string{`job=~"$job"`, `instance=~"$instance"`, `supervisor=~"$supervisor"`}
	return series(name, matchers, more...)
}

func (b *board) variables() list {
	all := newSelector(b.tree, b.options).of("headcount_children")
	query := func(name, label, selector string) object {
		q := "label_values(" + selector + ", " + name + ")"
		return object{
			"type": "query", "name": name, "label": label, "datasource": datasource, "query": object{"query": q, "refId": name}, "definition": q,
			"refresh": 2, "sort": 1, "multi": true, "includeAll": true, "current": object{"text": "All", "value": "$__all"},
		}
	}
	within := func(matchers ...string) string {
		return newSelector(b.tree, b.options).of("headcount_children", matchers...)
	}
	return list{
		object{"type": "datasource", "name": "datasource", "label": "Data source", "query": "prometheus", "current": object{}},
		query("job", "Job", all),
		query("instance", "Instance", within(`job=~"$job"`)),
		query("supervisor", "Supervisor", within(`job=~"$job"`, `instance=~"$instance"`)),
	}
}

// A query is one expression of a panel.
type query struct{ expr, legend string }

func (b *board) place(width, height int) object {
	if b.x+width > boardWidth {
		b.x, b.y = 0, b.y+b.height
	}
	at := object{"x": b.x, "y": b.y, "w": width, "h": height}
	b.x, b.height = b.x+width, height
	return at
}

func (b *board) panel(kind, title, description string, at, defaults, options object, queries ...query) {
	var targets list
	for i, q := range queries {
		targets = append(targets, object{
			"refId": string(rune('A' + i)), "datasource": datasource, "expr": q.expr, "legendFormat": q.legend,
			"instant": kind != "timeseries", "range": kind == "timeseries",
		})
	}
	b.made = append(b.made, object{
		"id": len(b.made) + 1, "type": kind, "title": title, "description": description, "datasource": datasource, "gridPos": at,
		"fieldConfig": object{"defaults": defaults, "overrides": list{
			object{"matcher": object{"id": "byRegexp", "options": "/ limit$/"}, "properties": list{
				object{"id": "custom.lineStyle", "value": object{"fill": "dash", "dash": list{8, 8}}},
			}},
		}},
		"options": options, "targets": targets,
	})
}

func (b *board) stat(title, description, unit, expr string, problem bool) {
	steps := list{object{"color": "green", "value": nil}}
	if problem {
		steps = append(steps, object{"color": "orange", "value": 0.0001})
	}
	b.panel("stat", title, description, b.place(4, statHeight),
		object{"unit": unit, "noValue": "0", "thresholds": object{"mode": "absolute", "steps": steps}},
		object{"reduceOptions": object{"calcs": list{"lastNotNull"}}, "colorMode": "value", "graphMode": "none"}, query{expr, ""})
}

func (b *board) plot(title, description, unit string, queries ...query) {
	b.panel("timeseries", title, description, b.place(12, plotHeight),
		object{"unit": unit, "min": 0, "custom": object{"fillOpacity": 5, "showPoints": "never"}},
		object{"legend": object{"displayMode": "table", "placement": "right", "calcs": list{"lastNotNull", "max"}}, "tooltip": object{"mode": "multi", "sort": "desc"}},
		queries...)
}

func (b *board) panels() {
	rate := func(name string, more ...string) string { return "rate(" + b.of(name, more...) + "[$__rate_interval])" }
	bySupervisor := func(expr string) string { return "sum by (supervisor) (" + expr + ")" }
	quantiles := func(name string) []query {
		of := func(q string) string {
			return quantile(q, "sum by (supervisor, le) ("+rate(name+"_bucket")+")", "sum by (supervisor) ("+rate(name)+")")
		}
		return []query{{of("0.5"), "{{supervisor}} p50"}, {of("0.99"), "{{supervisor}} p99"}}
	}

	b.stat("Children", "Slots held by all supervisors.", "short", "sum("+b.of("headcount_children")+")", false)
	b.stat("Refused", "Starts refused each second, for any reason.", "reqps", "sum("+rate("headcount_children_refused_total")+")", true)
	b.stat("Restarts", "Restarts each minute.", "short", "60 * sum("+rate("headcount_child_restarts_total")+")", true)
	b.stat("Waiting", "Starts that wait for a slot.", "short", "sum("+b.of("headcount_starts_waiting")+")", true)
	b.stat("Stuck", "Children that do not stop. They keep their slots.", "short", "sum("+b.of("headcount_children_stuck")+")", true)
	b.stat("Unlimited", "Supervisors that nothing limits.", "short", "sum("+b.of("headcount_supervisor_unlimited")+")", true)

	b.plot("Children", "What each supervisor holds, and its limit.", "short",
		query{bySupervisor(b.of("headcount_children")), "{{supervisor}}"}, query{bySupervisor(b.of("headcount_children_limit")), "{{supervisor}} limit"})
	b.plot("Share of the limit", "The fullest instance of each supervisor. At 100 % starts are refused or wait.", "percentunit",
		query{"max by (supervisor) (" + b.of("headcount_children") + " / (" + b.of("headcount_children_limit") + " > 0))", "{{supervisor}}"})
	b.plot("Refused, by reason", "max_per_key and gates by client: somebody wants too much. max_children and the like: the supervisor is full.", "reqps",
		query{"sum by (supervisor, reason) (" + rate("headcount_children_refused_total") + ") > 0", "{{supervisor}} {{reason}}"})
	b.plot("Started and ended", "Children each second, and how those that ended for good did.", "ops",
		query{bySupervisor(rate("headcount_children_started_total")), "{{supervisor}} started"},
		query{"sum by (supervisor, reason) (" + rate("headcount_child_exits_total") + ") > 0", "{{supervisor}} {{reason}}"})
	b.plot("Restarts", "Each second.", "ops", query{bySupervisor(rate("headcount_child_restarts_total")), "{{supervisor}}"})
	b.plot("Restart budget used", "Past 100 % a supervisor gives up and fails upwards. Budgets of single children are not shown.", "percentunit",
		query{"max by (supervisor) (" + b.of("headcount_restart_budget_used") + " / (" + b.of("headcount_restart_budget") + " > 0))", "{{supervisor}}"})
	b.plot("Lifetimes", "Of children that have ended.", "s", quantiles("headcount_child_lifetime_seconds")...)
	if b.tree.Queues {
		b.plot("Waiting for a slot", "Of starts that had to wait.", "s", quantiles("headcount_start_wait_seconds")...)
	}
	if b.tree.Subtrees {
		b.plot("Subtrees", "All descendants together, and their limit.", "short",
			query{bySupervisor(b.of("headcount_descendants")), "{{supervisor}}"}, query{bySupervisor(b.of("headcount_descendants_limit")), "{{supervisor}} limit"})
	}
	if b.tree.Gates {
		b.plot("Gates", "What gates refuse each second, and what those would that only observe.", "reqps",
			query{"sum by (supervisor, gate) (" + rate("headcount_gate_refused_total") + ") > 0", "{{supervisor}} {{gate}}"},
			query{"sum by (supervisor, gate) (" + rate("headcount_gate_observed_total") + ") > 0", "{{supervisor}} {{gate}} (observed)"})
	}
	if b.tree.Budgets {
		b.plot("Memory charged", "What children say they hold, and the budget.", "bytes",
			query{bySupervisor(b.of("headcount_charged_bytes")), "{{supervisor}}"}, query{bySupervisor(b.of("headcount_charged_bytes_limit")), "{{supervisor}} limit"})
	}
	b.plot("Limits held down", "1 while a machine's cap, for pressure or the like, holds a limit below what a person has set.", "short",
		query{"max by (supervisor, limit) (" + b.of("headcount_limit_lowered") + ") > 0", "{{supervisor}} {{limit}}"})
}
