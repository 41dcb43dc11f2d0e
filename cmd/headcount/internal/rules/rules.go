package rules

import (
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"
)

// Runbook is where the alerts' links lead to.
const Runbook = "https://github.com/headcount-go/headcount/blob/main/docs/runbook.md"

// Options are what can be chosen of the rules. [Defaults] are good.
type Options struct {
	Near     float64 // share of a limit from which the supervisor is near it
	Refusing float64 // share of starts refused that is too much
	Match    string  // label matchers for all series, such as job="myapp"
	Runbook  string  // address of the runbook, without an anchor
}

// Defaults are the options where nothing else is said.
func Defaults() Options { return Options{Near: 0.8, Refusing: 0.05, Runbook: Runbook} }

// matchers are label matchers of PromQL: names, operators and strings in any of its three quotes.
var matchers = func() *regexp.Regexp {
	const one = `\s*[a-zA-Z_][a-zA-Z0-9_]*\s*(=|!=|=~|!~)\s*("([^"\\\n]|\\.)*"|'([^'\\\n]|\\.)*'|` + "`[^`]*`" + `)\s*`
	return regexp.MustCompile(`^` + one + `(,` + one + `)*$`)
}()

// Check says what is wrong with the options.
func (o Options) Check() error {
	switch {
	case !(o.Near > 0 && o.Near <= 1):
		return fmt.Errorf("near is %v: it must be above 0 and at most 1", o.Near)
	case !(o.Refusing > 0 && o.Refusing < 1):
		return fmt.Errorf("refusing is %v: it must be above 0 and below 1", o.Refusing)
	case o.Match != "" && !matchers.MatchString(o.Match):
		return fmt.Errorf("match is %q: it must be label matchers without braces, such as job=\"myapp\"", o.Match)
	}
	return nil
}

// A File is a rule file of Prometheus.
type File struct {
	Groups []Group `yaml:"groups"`
}

// A Group of rules is evaluated in order.
type Group struct {
	Name  string `yaml:"name"`
	Rules []Rule `yaml:"rules"`
}

// A Rule records a series, or is an alert.
type Rule struct {
	Record        string            `yaml:"record,omitempty"`
	Alert         string            `yaml:"alert,omitempty"`
	Expr          string            `yaml:"expr"`
	For           string            `yaml:"for,omitempty"`
	KeepFiringFor string            `yaml:"keep_firing_for,omitempty"`
	Labels        map[string]string `yaml:"labels,omitempty"`
	Annotations   map[string]string `yaml:"annotations,omitempty"`
}

// For makes the rules for a tree.
func For(t Tree, o Options) File {
	s := newSelector(t, o)
	return File{Groups: []Group{{Name: "headcount-recording", Rules: recording(t, s)}, {Name: "headcount-alerts", Rules: alerts(t, s, o)}}}
}

// Write writes the file as YAML.
func (f File) Write(w io.Writer) error {
	return yaml.NewEncoder(w, yaml.UseLiteralStyleIfMultiline(true), yaml.IndentSequence(true)).Encode(f)
}

// selector writes selectors of the series of one tree.
type selector struct{ all, growing []string }

func newSelector(t Tree, o Options) selector {
	var s selector
	s.all, s.growing = t.matchers()
	if o.Match != "" {
		s.all, s.growing = append([]string{o.Match}, s.all...), append([]string{o.Match}, s.growing...)
	}
	return s
}

func series(name string, matchers []string, more ...string) string {
	m := append(matchers[:len(matchers):len(matchers)], more...)
	if len(m) == 0 {
		return name
	}
	return name + "{" + strings.Join(m, ",") + "}"
}

// of are the series of all supervisors, grows those of the ones whose number of children can grow.
func (s selector) of(name string, more ...string) string { return series(name, s.all, more...) }
func (s selector) grows(name string) string              { return series(name, s.growing) }

// The recorded series. The label reason is summed away; job, instance and supervisor stay.
const (
	childrenRatio    = "supervisor:headcount_children:ratio"
	descendantsRatio = "supervisor:headcount_descendants:ratio"
	waitingRatio     = "supervisor:headcount_starts_waiting:ratio"
	startedRate      = "supervisor:headcount_children_started:rate5m"
	refusedRate      = "supervisor:headcount_children_refused:rate5m"
	refusedRatio     = "supervisor:headcount_children_refused:ratio_rate5m"
	restartsRate     = "supervisor:headcount_child_restarts:rate5m"
	budgetRatio      = "supervisor:headcount_restart_budget:ratio"
	waitP99          = "supervisor:headcount_start_wait_seconds:p99_5m"
)

func recording(t Tree, s selector) []Rule {
	ratio := func(part, whole string) string { return fmt.Sprintf("%s / (%s > 0)", part, whole) }
	rules := []Rule{
		{Record: childrenRatio, Expr: ratio(s.of("headcount_children"), s.of("headcount_children_limit"))},
		{Record: startedRate, Expr: "rate(" + s.of("headcount_children_started_total") + "[5m])"},
		{Record: refusedRate, Expr: "sum without (reason) (rate(" + s.of("headcount_children_refused_total") + "[5m]))"},
		{Record: refusedRatio, Expr: ratio(refusedRate, "("+refusedRate+" + "+startedRate+")")},
		{Record: restartsRate, Expr: "rate(" + s.of("headcount_child_restarts_total") + "[5m])"},
		{Record: budgetRatio, Expr: ratio(s.of("headcount_restart_budget_used"), s.of("headcount_restart_budget"))},
	}
	if t.Subtrees {
		rules = append(rules, Rule{Record: descendantsRatio, Expr: ratio(s.of("headcount_descendants"), s.of("headcount_descendants_limit"))})
	}
	if t.Queues {
		rules = append(rules,
			Rule{Record: waitingRatio, Expr: ratio(s.of("headcount_starts_waiting"), s.of("headcount_starts_waiting_limit"))},
			Rule{Record: waitP99, Expr: quantile("0.99", "rate("+s.of("headcount_start_wait_seconds_bucket")+"[5m])", "rate("+s.of("headcount_start_wait_seconds")+"[5m])")})
	}
	return rules
}

// quantile asks the classic histogram, and the native one of a server that keeps only that.
func quantile(q, classic, native string) string {
	return fmt.Sprintf("histogram_quantile(%[1]s, %[2]s)\nor histogram_quantile(%[1]s, %[3]s)", q, classic, native)
}

// number writes a threshold as PromQL reads it.
func number(f float64) string { return strconv.FormatFloat(f, 'g', -1, 64) }
