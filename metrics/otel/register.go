package otelmetrics

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/headcount-go/headcount"
	"github.com/headcount-go/headcount/internal/scrape"
)

// Config says what is told of. The zero value is fine for a service.
type Config struct {
	// MaxSupervisors bounds how many supervisors are told of. Those nearest to the roots come first; how many were left
	// out is a metric. Zero is 200: an SDK keeps some 2000 sets of attributes for an instrument, and refusals have six
	// or more for each supervisor.
	MaxSupervisors int
}

const defaultSupervisors = 200

// The keys of the attributes.
const (
	pathKey   = attribute.Key("headcount.supervisor.path")
	errorKey  = attribute.Key("error.type")
	exitKey   = attribute.Key("headcount.exit.reason")
	gateKey   = attribute.Key("headcount.gate.name")
	limitKey  = attribute.Key("headcount.limit.name")
	sourceKey = attribute.Key("headcount.limit.source")
	resultKey = attribute.Key("headcount.limit.result")
)

// Register makes the instruments and tells the numbers of these roots, which need not have been started, whenever the
// meter collects. Unregister of what it returns ends that. The error says what the meter refused, or that the
// configuration is wrong: no root, one that is nil, a negative bound.
func Register(m metric.Meter, cfg Config, roots ...headcount.Node) (metric.Registration, error) {
	switch {
	case m == nil:
		return nil, errors.New("otelmetrics: Register needs a meter")
	case len(roots) == 0 || slices.Contains(roots, nil):
		return nil, errors.New("otelmetrics: Register needs roots, none of them nil")
	case cfg.MaxSupervisors < 0:
		return nil, fmt.Errorf("otelmetrics: Config.MaxSupervisors is %d", cfg.MaxSupervisors)
	}
	most := cfg.MaxSupervisors
	if most == 0 {
		most = defaultSupervisors
	}
	i, err := newInstruments(m)
	if err != nil {
		return nil, fmt.Errorf("otelmetrics: %w", err)
	}
	roots = slices.Clone(roots)
	return m.RegisterCallback(func(_ context.Context, o metric.Observer) error {
		s := scrape.Read(roots, most)
		for _, n := range s.Supervisors {
			supervisor{n, i, o, pathKey.String(n.Path)}.observe()
		}
		o.ObserveInt64(i.supervisorsOmitted, int64(s.Omitted))
		o.ObserveInt64(i.gatesOmitted, int64(s.GatesOmitted))
		return nil
	}, i.all...)
}

// supervisor is one that is being told of.
type supervisor struct {
	scrape.Supervisor
	*instruments
	to   metric.Observer
	path attribute.KeyValue
}

func (s supervisor) observe() {
	c := s.Counts
	s.tell(s.children, c.Running)
	s.limit(s.childrenMax, c.Limit)
	s.tell(s.childrenPeak, c.Peak)
	s.tell(s.restarting, c.Restarting)
	s.tell(s.stuck, c.Stuck)
	s.count(s.started, c.Started)
	for reason, n := range s.Refusals() {
		s.count(s.refused, n, errorKey.String(reason))
	}
	s.count(s.restarts, c.Restarts)
	for reason, n := range s.Exits() {
		s.count(s.exits, n, exitKey.String(reason))
	}
	s.histogram(s.lifetimeSum, s.lifetimeCount, c.Lifetimes)
	s.tell(s.pending, c.Waiting)
	if s.Queue > 0 {
		s.tell(s.pendingMax, s.Queue)
		s.histogram(s.waitSum, s.waitCount, c.Waits)
	}
	s.tell(s.unlimited, truth(c.Limit == headcount.Unlimited))
	s.tell(s.budget, s.RestartsAllowed)
	s.tell(s.budgetUsed, s.RestartsUsed)
	if s.Descendants >= 0 {
		s.tell(s.descendants, s.Descendants)
		s.tell(s.descendantsPeak, s.DescendantsPeak)
	}
	s.tell(s.charged, int(c.Bytes))
	if c.MaxBytes > 0 {
		s.tell(s.chargedMax, int(c.MaxBytes))
	}
	s.limits()
}

func (s supervisor) limits() {
	for _, l := range s.Limits {
		switch l.Name {
		case "max_per_key":
			s.limit(s.perKeyMax, l.InForce)
		case "max_descendants":
			s.limit(s.descendantsMax, l.InForce)
		}
	}
	for _, g := range s.Gates {
		name := gateKey.String(g.Name)
		s.limit(s.gateMax, g.InForce, name)
		s.count(s.gateRefused, g.Refused, name)
		s.count(s.gateObserved, g.Observed, name)
	}
	for l := range s.AllLimits() {
		name := limitKey.String(l.Name)
		s.tell(s.lowered, truth(scrape.Lowered(l)), name)
		if review := l.Setting.Review; !review.IsZero() {
			s.tell(s.review, int(review.Unix()), name)
		}
	}
	for _, source := range s.LimitSources {
		name := sourceKey.String(source.Name)
		s.count(s.sourceSets, source.Set, name, resultKey.String("set"))
		s.count(s.sourceSets, source.Refused, name, resultKey.String("refused"))
		s.tell(s.sourceRefused, truth(source.Err != nil), name)
	}
	for source, n := range s.Changes() {
		s.count(s.changes, n, sourceKey.String(source))
	}
}

func (s supervisor) with(attrs []attribute.KeyValue) metric.ObserveOption {
	return metric.WithAttributes(append(attrs, s.path)...)
}

func (s supervisor) tell(i metric.Int64Observable, value int, attrs ...attribute.KeyValue) {
	s.to.ObserveInt64(i, int64(value), s.with(attrs))
}

// limit tells nothing while there is no limit: then the ratio of what is held to it does not exist either.
func (s supervisor) limit(i metric.Int64Observable, value int, attrs ...attribute.KeyValue) {
	if value != headcount.Unlimited {
		s.tell(i, value, attrs...)
	}
}

func (s supervisor) count(i metric.Int64Observable, value uint64, attrs ...attribute.KeyValue) {
	s.to.ObserveInt64(i, int64(value), s.with(attrs))
}

func (s supervisor) histogram(sum metric.Float64Observable, count metric.Int64Observable, h headcount.Histogram) {
	if len(h.Bounds) > 0 {
		s.to.ObserveFloat64(sum, h.Sum, s.with(nil))
		s.count(count, h.Count)
	}
}

func truth(b bool) int {
	if b {
		return 1
	}
	return 0
}
