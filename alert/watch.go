package alert

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/headcount-go/headcount"
)

// A Config says what to watch and whom to tell. The zero value keeps the default rules and tells the log.
type Config struct {
	// Interval is the time between two looks at the tree, 1 s if zero.
	Interval time.Duration
	// Rules are what is watched; nil is Rules().
	Rules []Rule
	// Notifiers are told; nil is Slog(nil).
	Notifiers []Notifier
	// Repeat is the time after which an alert that still fires is told again. Zero is 4 h, negative is never.
	Repeat time.Duration
	// MaxSupervisors bounds what is watched, 1000 if zero. What comes behind them in the order of the tree is not
	// watched, and the alert HeadcountNotAllShown says so.
	MaxSupervisors int
	// Labels are added to each alert that is sent over HTTP, such as job or instance.
	Labels map[string]string
	// Runbook is what a rule's name in lower case is appended to, to say where to read on.
	Runbook string
	// Root is the tree to watch. If nil, it is the one that the child is in.
	Root headcount.Node
	// Logger is told when a notifier begins to fail and when it works again. Nil is slog.Default().
	Logger *slog.Logger
}

const defaultRunbook = "https://github.com/headcount-go/headcount/blob/main/docs/runbook.md#"

// Alerts watches a tree. It is a child; all methods may be called from many goroutines, at any time.
type Alerts struct {
	name     string
	cfg      Config
	problems []error
	outboxes []*outbox

	mu struct {
		sync.Mutex
		running bool
		round   uint64
		pasts   map[string]*past
		states  map[key]*state
		status  Status
	}
}

// A state is a rule that is broken at one place, or was until a moment ago.
type state struct {
	alert   Alert
	firing  bool
	since   time.Time // when it was broken first
	well    time.Time // since when it is over; zero while it is not
	round   uint64
	keepFor time.Duration
}

// New makes the child. What is wrong with the configuration is the error of its run.
func New(name string, cfg Config) *Alerts {
	if cfg.Interval == 0 {
		cfg.Interval = time.Second
	}
	if cfg.Rules == nil {
		cfg.Rules = Rules()
	}
	if cfg.Notifiers == nil {
		cfg.Notifiers = []Notifier{Slog(nil)}
	}
	if cfg.Repeat == 0 {
		cfg.Repeat = 4 * time.Hour
	}
	if cfg.MaxSupervisors == 0 {
		cfg.MaxSupervisors = 1000
	}
	if cfg.Runbook == "" {
		cfg.Runbook = defaultRunbook
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	a := &Alerts{name: name, cfg: cfg}
	a.cfg.Rules = slices.Clone(cfg.Rules)
	a.check()
	a.mu.pasts, a.mu.states = make(map[string]*past), make(map[key]*state)
	for i, n := range cfg.Notifiers {
		if n == nil {
			a.problem("Notifiers", fmt.Sprintf("number %d is nil", i))
			continue
		}
		a.outboxes = append(a.outboxes, newOutbox(n, cfg))
	}
	return a
}

func (a *Alerts) check() {
	if a.cfg.Interval < 0 {
		a.problem("Interval", "is negative")
	}
	if a.cfg.MaxSupervisors < 0 {
		a.problem("MaxSupervisors", "is negative")
	}
	names := make(map[string]bool)
	for _, r := range a.cfg.Rules {
		switch {
		case r.measure == nil:
			a.problem("Rules", fmt.Sprintf("%q is none of those that Rules gives", r.Name))
		case names[r.Name]:
			a.problem("Rules", r.Name+" is there twice")
		case r.Clears > r.Fires:
			a.problem("Rules", r.Name+" clears above what it fires at")
		case r.For < 0 || r.KeepFor < 0:
			a.problem("Rules", r.Name+" has a negative duration")
		}
		names[r.Name] = true
	}
}

func (a *Alerts) problem(field, problem string) {
	a.problems = append(a.problems, fmt.Errorf("alert: Config.%s: %s", field, problem))
}

// ChildSpec makes it a permanent child.
func (a *Alerts) ChildSpec() headcount.ChildSpec {
	return headcount.ChildSpec{Name: a.name, Run: a.run, AwaitReady: true}
}

func (a *Alerts) run(ctx context.Context) error {
	if err := errors.Join(a.problems...); err != nil {
		return err
	}
	root := a.cfg.Root
	if root == nil {
		var ok bool
		if root, ok = headcount.Root(ctx); !ok {
			return errors.New("alert: nothing to watch: Config.Root is nil, and this is not run as a child")
		}
	}
	if !a.begin() {
		return headcount.ErrAlreadyStarted
	}
	defer a.end()
	idle := a.startTelling(ctx, a.outboxes)
	headcount.Ready(ctx)
	ticker := time.NewTicker(a.cfg.Interval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ticker.C:
			idle = a.startTelling(ctx, idle)
			a.look(root, time.Now())
		}
	}
}

// startTelling starts the goroutines of outboxes and gives those that could not be started. A subtree that is full
// refuses them: that must be no failure of the child, which is there to tell of it, so it is tried again.
func (a *Alerts) startTelling(ctx context.Context, outboxes []*outbox) (idle []*outbox) {
	for _, o := range outboxes {
		if err := headcount.Go(ctx, func(ctx context.Context) error { o.run(ctx); return nil }); err != nil {
			idle = append(idle, o)
			o.couldNot(err)
		}
	}
	return idle
}

func (a *Alerts) begin() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.mu.running {
		return false
	}
	a.mu.running = true
	return true
}

func (a *Alerts) end() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.mu.running = false
}

// snapshots gives each supervisor once: the tree as declared, and those that are children of dynamic supervisors. The
// first ones are looked at; all are counted.
func snapshots(root headcount.Node, most int) (nodes []headcount.TreeNode, total int) {
	seen := make(map[string]bool)
	for n := range root.All() {
		total++
		if len(nodes) >= most || seen[n.Path()] {
			continue
		}
		for t := range n.Tree().All() {
			if len(nodes) < most {
				nodes = append(nodes, t)
				seen[t.Path] = true
			}
		}
	}
	return nodes, total
}

// look keeps the rules once.
func (a *Alerts) look(root headcount.Node, now time.Time) {
	nodes, total := snapshots(root, a.cfg.MaxSupervisors)

	a.mu.Lock()
	a.mu.round++
	var tell []Alert
	for i := range nodes {
		n := &nodes[i]
		p := a.mu.pasts[n.Path]
		if p == nil {
			p = &past{}
			a.mu.pasts[n.Path] = p
		}
		p.round = a.mu.round
		p.see(n, now)
		s := &sight{node: n, past: p, now: now}
		for j := range a.cfg.Rules {
			r := &a.cfg.Rules[j]
			r.measure(s, func(m measured) { tell = a.judgeLocked(tell, r, n.Path, m, now) })
		}
	}
	missed := total - len(nodes)
	tell = a.judgeLocked(tell, &incomplete, root.Path(), measured{"", float64(missed), func() string {
		return fmt.Sprintf("%d of %d supervisors are not watched; Config.MaxSupervisors is %d", missed, total, a.cfg.MaxSupervisors)
	}}, now)
	tell = a.settleLocked(tell, now)
	for path, p := range a.mu.pasts {
		if p.round != a.mu.round {
			delete(a.mu.pasts, path)
		}
	}
	firing := 0
	for _, s := range a.mu.states {
		if s.firing {
			firing++
		}
	}
	a.mu.status = Status{Looked: now, Looks: a.mu.round, Watched: len(nodes), NotWatched: missed, Firing: firing, Pending: len(a.mu.states) - firing}
	var again []Alert
	for _, s := range a.mu.states {
		if s.firing {
			again = append(again, s.alert)
		}
	}
	a.mu.Unlock()

	for _, o := range a.outboxes {
		o.put(tell, again, now)
	}
}

var incomplete = Rule{Name: "HeadcountNotAllShown", Severity: Info, Summary: "The tree has more supervisors than are watched", Fires: 1, Clears: 1, KeepFor: time.Minute}

// judgeLocked takes one value into account.
func (a *Alerts) judgeLocked(tell []Alert, r *Rule, path string, m measured, now time.Time) []Alert {
	k := key{r.Name, path, m.limit}
	s := a.mu.states[k]
	if s == nil {
		if !(m.value >= r.Fires) {
			return tell
		}
		s = &state{since: now, keepFor: r.KeepFor}
		a.mu.states[k] = s
	}
	s.round = a.mu.round
	switch {
	case !s.firing && !(m.value >= r.Fires):
		delete(a.mu.states, k)
		return tell
	case s.firing && m.value < r.Clears:
		if s.well.IsZero() {
			s.well = now
		}
		return tell // settleLocked ends it
	}
	s.well = time.Time{}
	fires := !s.firing && now.Sub(s.since) >= r.For
	if !s.firing && !fires {
		return tell
	}
	if fires {
		s.firing = true
		s.alert = Alert{Rule: r.Name, Severity: r.Severity, Path: path, Limit: m.limit, Summary: r.Summary, Runbook: a.cfg.Runbook + strings.ToLower(r.Name), Began: now}
	}
	s.alert.Value, s.alert.Details = m.value, cut(m.details())
	if fires {
		tell = append(tell, s.alert)
	}
	return tell
}

// settleLocked ends the alerts that have been over for long enough. What was not seen in this round is gone.
func (a *Alerts) settleLocked(tell []Alert, now time.Time) []Alert {
	for k, s := range a.mu.states {
		if s.round != a.mu.round {
			if !s.firing {
				delete(a.mu.states, k)
				continue
			}
			if s.well.IsZero() {
				s.well = now
			}
		}
		if s.firing && !s.well.IsZero() && now.Sub(s.well) >= s.keepFor {
			s.alert.Ended = now
			tell = append(tell, s.alert)
			delete(a.mu.states, k)
		}
	}
	return tell
}

// maxDetails bounds the text of an alert: a reason comes from people.
const maxDetails = 512

func cut(s string) string {
	if len(s) <= maxDetails {
		return s
	}
	return strings.ToValidUTF8(s[:maxDetails], "") + "…"
}

// Firing gives the alerts that fire, the most severe and then the oldest first.
func (a *Alerts) Firing() []Alert {
	a.mu.Lock()
	var alerts []Alert
	for _, s := range a.mu.states {
		if s.firing {
			alerts = append(alerts, s.alert)
		}
	}
	a.mu.Unlock()
	rank := map[Severity]int{Critical: 0, Warning: 1}
	of := func(s Severity) int {
		if r, ok := rank[s]; ok {
			return r
		}
		return 2
	}
	slices.SortFunc(alerts, func(x, y Alert) int {
		return cmp.Or(of(x.Severity)-of(y.Severity), x.Began.Compare(y.Began), cmp.Compare(x.Path, y.Path), cmp.Compare(x.Rule, y.Rule), cmp.Compare(x.Limit, y.Limit))
	})
	return alerts
}

// A Status tells how the watching goes.
type Status struct {
	Looked     time.Time // when it last looked
	Looks      uint64
	Watched    int // supervisors
	NotWatched int // supervisors above MaxSupervisors
	Firing     int
	Pending    int // broken rules that have not lasted long enough
	Notifiers  []NotifierStatus
}

// Status tells how the watching goes, and what became of the telling.
func (a *Alerts) Status() Status {
	a.mu.Lock()
	s := a.mu.status
	a.mu.Unlock()
	for _, o := range a.outboxes {
		s.Notifiers = append(s.Notifiers, o.status())
	}
	return s
}
