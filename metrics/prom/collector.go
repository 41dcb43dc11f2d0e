package prom

import (
	"fmt"
	"slices"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/headcount-go/headcount"
	"github.com/headcount-go/headcount/internal/scrape"
)

// Config says what a [Collector] tells. The zero value is fine for a service.
type Config struct {
	// MaxSupervisors bounds how many supervisors are told of, and so the number of series: some 70 for each supervisor with
	// a queue, 3 more for each gate, and one for each source of changes. Those nearest to the roots come first; how many were
	// left out is a metric. Zero is 1000.
	MaxSupervisors int
}

// A Collector is a [prometheus.Collector] of the supervisors below some roots. All methods may be called from many
// goroutines.
type Collector struct {
	roots []headcount.Node
	most  int
}

// NewCollector makes a collector of these roots, which need not have been started. It panics if there is none, one is
// nil, or MaxSupervisors is negative. Where two supervisors have the same path, which two roots of one name do, the first is
// told of and the other counted as left out.
func NewCollector(cfg Config, roots ...headcount.Node) *Collector {
	if len(roots) == 0 || slices.Contains(roots, nil) {
		panic("prom: NewCollector needs roots, none of them nil")
	}
	if cfg.MaxSupervisors < 0 {
		panic(fmt.Sprintf("prom: Config.MaxSupervisors is %d", cfg.MaxSupervisors))
	}
	most := cfg.MaxSupervisors
	if most == 0 {
		most = scrape.MaxSupervisors
	}
	return &Collector{roots: slices.Clone(roots), most: most}
}

// Describe implements [prometheus.Collector].
func (c *Collector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range descs {
		ch <- d
	}
}

// Collect implements [prometheus.Collector].
func (c *Collector) Collect(ch chan<- prometheus.Metric) {
	s := scrape.Read(c.roots, c.most)
	for _, n := range s.Supervisors {
		supervisor{n, ch}.collect()
	}
	ch <- prometheus.MustNewConstMetric(supervisorsOmitted, prometheus.GaugeValue, float64(s.Omitted))
	ch <- prometheus.MustNewConstMetric(gatesOmitted, prometheus.GaugeValue, float64(s.GatesOmitted))
}

// supervisor is one that is being told of.
type supervisor struct {
	scrape.Supervisor
	to chan<- prometheus.Metric
}

func (s supervisor) collect() {
	c := s.Counts
	s.gauge(children, c.Running)
	s.limit(childrenLimit, c.Limit)
	s.gauge(childrenPeak, c.Peak)
	s.gauge(childrenRestarting, c.Restarting)
	s.gauge(childrenStuck, c.Stuck)
	s.gauge(unlimited, truth(c.Limit == headcount.Unlimited))
	s.counter(childrenStarted, c.Started)
	for reason, n := range s.Refusals() {
		s.counter(childrenRefused, n, reason)
	}
	s.counter(childRestarts, c.Restarts)
	for reason, n := range s.Exits() {
		s.counter(childExits, n, reason)
	}
	s.histogram(childLifetime, c.Lifetimes)
	s.gauge(startsWaiting, c.Waiting)
	if s.Queue > 0 {
		s.gauge(startsWaitingLimit, s.Queue)
		s.histogram(startWait, c.Waits)
	}
	s.gauge(restartBudget, s.RestartsAllowed)
	s.gauge(restartBudgetUsed, s.RestartsUsed)
	if s.Descendants >= 0 {
		s.gauge(descendants, s.Descendants)
		s.gauge(descendantsPeak, s.DescendantsPeak)
	}
	s.to <- prometheus.MustNewConstMetric(chargedBytes, prometheus.GaugeValue, float64(c.Bytes), s.Path)
	if c.MaxBytes > 0 {
		s.to <- prometheus.MustNewConstMetric(chargedBytesLimit, prometheus.GaugeValue, float64(c.MaxBytes), s.Path)
	}
	s.limits()
}

func (s supervisor) limits() {
	for _, l := range s.Limits {
		switch l.Name {
		case "max_per_key":
			s.limit(perKeyLimit, l.InForce)
		case "max_descendants":
			s.limit(descendantsLimit, l.InForce)
		}
	}
	for _, g := range s.Gates {
		s.limit(gateLimit, g.InForce, g.Name)
		s.counter(gateRefused, g.Refused, g.Name)
		s.counter(gateObserved, g.Observed, g.Name)
	}
	for l := range s.AllLimits() {
		s.gauge(limitLowered, truth(scrape.Lowered(l)), l.Name)
		if review := l.Setting.Review; !review.IsZero() {
			s.to <- prometheus.MustNewConstMetric(limitReview, prometheus.GaugeValue, float64(review.UnixMilli())/1000, s.Path, l.Name)
		}
	}
	for _, source := range s.LimitSources {
		s.counter(limitSourceSets, source.Set, source.Name, "set")
		s.counter(limitSourceSets, source.Refused, source.Name, "refused")
		s.gauge(limitSourceRefused, truth(source.Err != nil), source.Name)
	}
	for source, n := range s.Changes() {
		s.counter(limitChanges, n, source)
	}
}

func (s supervisor) gauge(d *prometheus.Desc, value int, labels ...string) {
	s.to <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, float64(value), append([]string{s.Path}, labels...)...)
}

// limit leaves the series out while there is no limit: then the ratio of what is held to it has none either.
func (s supervisor) limit(d *prometheus.Desc, value int, labels ...string) {
	if value != headcount.Unlimited {
		s.gauge(d, value, labels...)
	}
}

func (s supervisor) counter(d *prometheus.Desc, value uint64, labels ...string) {
	s.to <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(value), append([]string{s.Path}, labels...)...)
}

func (s supervisor) histogram(d *prometheus.Desc, h headcount.Histogram) {
	if len(h.Bounds) > 0 {
		s.to <- &histogram{desc: d, of: h, path: s.Path}
	}
}

func truth(b bool) int {
	if b {
		return 1
	}
	return 0
}
