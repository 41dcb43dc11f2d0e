// Package scrape reads the supervisors of a program for those who export metrics of them. It bounds what it gives: each
// supervisor and each gate becomes series in somebody's database.
package scrape

import (
	"iter"

	"github.com/headcount-go/headcount"
)

// MaxSupervisors is how many supervisors are read where nothing else is said.
const MaxSupervisors = 1000

// maxGates bounds the gates of one supervisor. They come from code; an endpoint has a dozen, and one for each route.
const maxGates = 32

// A Scrape is what there is to tell of some trees.
type Scrape struct {
	Supervisors []Supervisor
	// Omitted is how many supervisors were left out: beyond the bound, or with a path that another has.
	Omitted int
	// GatesOmitted is how many gates of the supervisors that were read were left out.
	GatesOmitted int
}

// A Supervisor is one of a tree: Children is empty.
type Supervisor struct{ headcount.TreeNode }

// Read reads the trees level by level, so that what is left out is far from the roots, and the same each time.
func Read(roots []headcount.Node, most int) Scrape {
	var s Scrape
	var level []headcount.TreeNode
	for _, root := range roots {
		level = append(level, root.Tree())
	}
	seen := make(map[string]bool)
	for len(level) > 0 {
		var next []headcount.TreeNode
		for _, n := range level {
			next = append(next, n.Children...)
			if seen[n.Path] || len(s.Supervisors) == most {
				s.Omitted++
				continue
			}
			seen[n.Path] = true
			s.GatesOmitted += max(0, len(n.Gates)-maxGates)
			n.Children, n.Gates = nil, n.Gates[:min(len(n.Gates), maxGates)]
			s.Supervisors = append(s.Supervisors, Supervisor{n})
		}
		level = next
	}
	return s
}

// Refusals gives each reason that starts are refused for at the supervisor, the names of its gates among them, and how
// often that was. Each word comes once, also where a gate is named like a reason.
func (s Supervisor) Refusals() iter.Seq2[string, uint64] {
	return func(yield func(string, uint64) bool) {
		r := s.Counts.Refused
		own := []struct {
			reason headcount.Reason
			count  uint64
		}{
			{headcount.ReasonMaxChildren, r.MaxChildren}, {headcount.ReasonMaxPerKey, r.MaxPerKey},
			{headcount.ReasonMaxDescendants, r.MaxDescendants}, {headcount.ReasonQueueFull, r.QueueFull},
			{headcount.ReasonWaitTimeout, r.WaitTimeout}, {headcount.ReasonPriority, r.Priority},
		}
		words := make(map[string]bool, len(own))
		for _, o := range own {
			word, count := o.reason.String(), o.count
			words[word] = true
			for _, g := range s.Gates {
				if g.Name == word {
					count += g.Refused
				}
			}
			if !yield(word, count) {
				return
			}
		}
		for _, g := range s.Gates {
			if !words[g.Name] && !yield(g.Name, g.Refused) {
				return
			}
		}
	}
}

// Exits gives how children have ended, and how many have.
func (s Supervisor) Exits() iter.Seq2[string, uint64] {
	e := s.Counts.Exits
	return func(yield func(string, uint64) bool) {
		_ = yield("normal", e.Normal) && yield("stopped", e.Stopped) && yield("error", e.Error) &&
			yield("panic", e.Panic) && yield("goexit", e.Goexit)
	}
}

// AllLimits gives the limits of the supervisor and of its gates, each name once.
func (s Supervisor) AllLimits() iter.Seq[headcount.LimitSnapshot] {
	return func(yield func(headcount.LimitSnapshot) bool) {
		own := make(map[string]bool, len(s.Limits))
		for _, l := range s.Limits {
			own[l.Name] = true
			if !yield(l) {
				return
			}
		}
		for _, g := range s.Gates {
			if !own[g.Name] && !yield(g.LimitSnapshot) {
				return
			}
		}
	}
}

// Changes adds up how often limits of the supervisor were changed, by source.
func (s Supervisor) Changes() map[string]uint64 {
	sum := make(map[string]uint64)
	for l := range s.AllLimits() {
		for source, n := range l.Changes {
			sum[source] += n
		}
	}
	return sum
}

// Lowered reports whether a machine's cap holds the limit below what a person has set.
func Lowered(l headcount.LimitSnapshot) bool { return l.InForce < l.Setting.Value }
