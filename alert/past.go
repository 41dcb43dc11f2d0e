package alert

import (
	"time"

	"github.com/headcount-go/headcount"
)

// A past is what is remembered of one supervisor: fifteen minutes in steps of fifteen seconds.
type past struct {
	round uint64 // in which it was last seen
	ring  [60]sample
	next  int
	kept  int

	refusedHere, refusedAbove lastGrowth
	gates                     map[string]*lastGrowth
}

const step = 15 * time.Second

type sample struct {
	at                         time.Time
	held, below                int
	started, refused, restarts uint64
}

// lastGrowth is a counter, and when it last grew.
type lastGrowth struct {
	total uint64
	at    time.Time
}

func (g *lastGrowth) see(total uint64, now time.Time, first bool) {
	if total > g.total && !first {
		g.at = now
	}
	g.total = total
}

// see enters what the supervisor is now.
func (p *past) see(n *headcount.TreeNode, now time.Time) {
	first := p.kept == 0
	r := n.Counts.Refused
	if l := p.last(); !first && (n.Counts.Started < l.started || n.Counts.Restarts < l.restarts || refusedStarts(n) < l.refused) {
		// another supervisor in the same place
		*p = past{round: p.round}
		first = true
	}
	p.refusedHere.see(r.MaxChildren+r.QueueFull+r.WaitTimeout+r.Priority, now, first)
	p.refusedAbove.see(r.MaxDescendants, now, first)
	for _, g := range n.Gates {
		c := p.gates[g.Name]
		if c == nil {
			if p.gates == nil {
				p.gates = make(map[string]*lastGrowth)
			}
			c = &lastGrowth{}
			p.gates[g.Name] = c
		}
		c.see(g.Refused, now, first)
	}
	if first || now.Sub(p.last().at) >= step {
		p.ring[p.next] = sample{now, n.Counts.Running, n.Descendants, n.Counts.Started, refusedStarts(n), n.Counts.Restarts}
		p.next = (p.next + 1) % len(p.ring)
		p.kept = min(p.kept+1, len(p.ring))
	}
}

// ago is the sample that was entered i samples before the last.
func (p *past) ago(i int) *sample {
	return &p.ring[(p.next-1-i+2*len(p.ring))%len(p.ring)]
}

func (p *past) last() *sample { return p.ago(0) }

// before is the newest sample that is so old, or the oldest there is.
func (p *past) before(now time.Time, age time.Duration) *sample {
	for i := range p.kept {
		if s := p.ago(i); now.Sub(s.at) >= age {
			return s
		}
	}
	return p.ago(p.kept - 1)
}

// predict extends the line of least squares through what was held by so much. It needs ten minutes of past.
func (p *past) predict(now time.Time, held int, below bool, ahead time.Duration) (float64, bool) {
	const enough = 10 * time.Minute
	if now.Sub(p.ago(p.kept-1).at) < enough {
		return 0, false
	}
	var n, sx, sy, sxx, sxy float64
	add := func(x, y float64) {
		n, sx, sy, sxx, sxy = n+1, sx+x, sy+y, sxx+x*x, sxy+x*y
	}
	for i := range p.kept {
		s := p.ago(i)
		y := s.held
		if below {
			y = s.below
		}
		add(s.at.Sub(now).Seconds(), float64(y))
	}
	if !p.last().at.Equal(now) {
		add(0, float64(held))
	}
	slope := (n*sxy - sx*sy) / (n*sxx - sx*sx)
	return (sy-slope*sx)/n + slope*ahead.Seconds(), true
}
