package otelmetrics

import (
	"errors"

	"go.opentelemetry.io/otel/metric"
)

// instruments are all that there are; doc.go has the list.
type instruments struct {
	children, childrenMax, childrenPeak, restarting, stuck metric.Int64Observable
	started, refused, restarts, exits                      metric.Int64Observable
	lifetimeSum, waitSum                                   metric.Float64Observable
	lifetimeCount, waitCount, pending, pendingMax          metric.Int64Observable
	unlimited, budget, budgetUsed                          metric.Int64Observable
	perKeyMax, descendants, descendantsMax                 metric.Int64Observable
	descendantsPeak, charged, chargedMax                   metric.Int64Observable
	gateMax, gateRefused, gateObserved                     metric.Int64Observable
	lowered, changes, review                               metric.Int64Observable
	sourceSets, sourceRefused                              metric.Int64Observable
	supervisorsOmitted, gatesOmitted                       metric.Int64Observable

	all []metric.Observable
}

func newInstruments(m metric.Meter) (*instruments, error) {
	b := builder{meter: m}
	i := &instruments{
		children:     b.upDown("child.count", "{child}", "Slots held: children that run, restart, stop or are stuck, and starts about to run."),
		childrenMax:  b.upDown("child.max", "{child}", "Limit in force on the children of the supervisor."),
		childrenPeak: b.gauge("child.peak", "{child}", "Most slots ever held at once."),
		restarting:   b.upDown("child.restarting", "{child}", "Children between two runs."),
		stuck:        b.upDown("child.stuck", "{child}", "Children that have outlived the allowance of their stop, and keep their slots."),

		started:       b.counter("child.started", "{child}", "Children started."),
		refused:       b.counter("child.refused", "{start}", "Starts refused, by the limit that said no."),
		restarts:      b.counter("child.restarts", "{restart}", "Restarts of children."),
		exits:         b.counter("child.exits", "{child}", "Children that have ended for good, by how."),
		lifetimeSum:   b.seconds("child.lifetime.sum", "Lifetimes of children that have ended, together."),
		lifetimeCount: b.counter("child.lifetime.count", "{child}", "Children whose lifetimes are in the sum."),

		pending:    b.upDown("child.pending_starts", "{start}", "Starts that wait for a slot."),
		pendingMax: b.upDown("child.pending_starts_max", "{start}", "Number of starts that may wait."),
		waitSum:    b.seconds("child.start_wait.sum", "Time that starts have waited for a slot, together."),
		waitCount:  b.counter("child.start_wait.count", "{start}", "Starts that had to wait."),

		unlimited:  b.gauge("supervisor.unlimited", "1", "1 if nothing limits the number of children of the supervisor, else 0."),
		budget:     b.gauge("supervisor.restart_budget", "{restart}", "Restarts that are allowed within the period of the budget."),
		budgetUsed: b.gauge("supervisor.restart_budget_used", "{restart}", "Restarts within the present period. Always 0 where each child has a budget of its own."),

		perKeyMax:       b.gauge("key.max", "{child}", "Limit in force on the children of one key."),
		descendants:     b.upDown("descendant.count", "{child}", "Slots held under the limit on the whole subtree."),
		descendantsMax:  b.upDown("descendant.max", "{child}", "Limit in force on the whole subtree."),
		descendantsPeak: b.gauge("descendant.peak", "{child}", "Most slots ever held at once under the limit on the whole subtree."),
		charged:         b.upDown("memory.charged", "By", "Memory that children say they hold."),
		chargedMax:      b.upDown("memory.max", "By", "Budget for the memory that children say they hold."),

		gateMax:      b.gauge("gate.max", "1", "Limit of the gate in force."),
		gateRefused:  b.counter("gate.refused", "{refusal}", "What the gate has refused."),
		gateObserved: b.counter("gate.observed", "{refusal}", "What the gate, which only observes, would have refused."),

		lowered: b.gauge("limit.lowered", "1", "1 while a machine's cap holds the limit below what a person has set, else 0."),
		changes: b.counter("limit.changes", "{change}", "Changes of limits, by where they came from."),
		review:  b.gauge("limit.review_time", "s", "When somebody should look at the limit again, since 1970."),

		sourceSets:    b.counter("limit.source.sets", "{set}", "Times that the limits of a source, such as a file, were set or refused as a whole."),
		sourceRefused: b.gauge("limit.source.refused", "1", "1 while the limits of the source are refused, else 0."),

		supervisorsOmitted: b.gauge("supervisor.omitted", "{supervisor}", "Supervisors left out: too many, or with a path that another has."),
		gatesOmitted:       b.gauge("gate.omitted", "{gate}", "Gates left out: too many at one supervisor."),
	}
	i.all = b.made
	return i, errors.Join(b.problems...)
}

// A builder makes instruments and keeps what went wrong.
type builder struct {
	meter    metric.Meter
	made     []metric.Observable
	problems []error
}

func (b *builder) keep(i metric.Observable, err error) {
	b.made = append(b.made, i)
	if err != nil {
		b.problems = append(b.problems, err)
	}
}

func (b *builder) counter(name, unit, description string) metric.Int64Observable {
	i, err := b.meter.Int64ObservableCounter("headcount."+name, metric.WithUnit(unit), metric.WithDescription(description))
	b.keep(i, err)
	return i
}

// upDown is for what can be added up over supervisors and programs, gauge for what cannot.
func (b *builder) upDown(name, unit, description string) metric.Int64Observable {
	i, err := b.meter.Int64ObservableUpDownCounter("headcount."+name, metric.WithUnit(unit), metric.WithDescription(description))
	b.keep(i, err)
	return i
}

func (b *builder) gauge(name, unit, description string) metric.Int64Observable {
	i, err := b.meter.Int64ObservableGauge("headcount."+name, metric.WithUnit(unit), metric.WithDescription(description))
	b.keep(i, err)
	return i
}

func (b *builder) seconds(name, description string) metric.Float64Observable {
	i, err := b.meter.Float64ObservableCounter("headcount."+name, metric.WithUnit("s"), metric.WithDescription(description))
	b.keep(i, err)
	return i
}
