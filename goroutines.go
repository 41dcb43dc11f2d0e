package headcount

import (
	"cmp"
	"context"
	"errors"
	"io"
	"runtime/pprof"
	"slices"
	"strings"
	"time"
)

// A GoroutineCount tells whose the goroutines of the process are, as its goroutine profile shows them at one moment.
// Each of them is one of Supervised, Strays and Elsewhere.
//
// A goroutine is a child's if it runs one: its stack ends in headcount's function for a child, or for a [Go] in one,
// or has a Do in it. Whose it is its label says, the path of the child's supervisor, which a child's goroutines have for
// profiles. A bare go statement passes labels on: what has the label and runs no child is a stray that some child of that
// supervisor has started. All of this is read from one profile, so children that come and go do not blur it.
//
// What it cannot tell:
//   - which child a stray comes from, unless that one is Traceable ([Supervisor.Stack] then shows it), and whose a stray
//     without a label is;
//   - a child's goroutine that has replaced its labels, as pprof.Do does, is Elsewhere;
//   - a stack too deep for the profile (128 frames) has no visible end: with a label it counts as a child's, else as a
//     stray;
//   - a goroutine that was about to begin: it has the label of whoever started it. So has, for a moment, a function
//     that a timer calls;
//   - two trees of one process whose roots have the same name: their paths are the same.
type GoroutineCount struct {
	Time  time.Time // of the profile: an answer may be from an earlier request
	Total int       // goroutines of the process; those of the runtime itself are not shown

	// Supervised are those of the children of this supervisor and of all below it. A supervisor's own goroutine is
	// counted where it is a child: at its parent's path, that of a root at its own.
	Supervised int
	// Strays are nobody's children: those without a label, wherever in the process, and the Inherited.
	Strays int
	// Inherited are those Strays that a child of this supervisor, or of one below it, has started by a bare go
	// statement, itself or through others.
	Inherited int
	// Elsewhere are those of other supervisors, with the strays of their children, and headcount's own.
	Elsewhere int

	Paths      []PathGoroutines // the hundred paths with most goroutines, the first with most
	PathsTotal int              // how many there are
}

// PathGoroutines are the goroutines that are labelled with the path of one supervisor.
type PathGoroutines struct {
	Path       string
	Goroutines int // the strays included
	Strays     int
}

// Goroutines tells whose the goroutines of the process are, by the paths of this supervisor and of those below it.
//
// Reading them costs some microseconds each and holds up the whole process for a part of that. So one request of a tree
// reads at a time, and then none for a second, or for ten times as long as it took if that is longer: requests meanwhile
// get the same answer, with its time. One that comes while another reads waits for it; if ctx ends first, Goroutines
// returns its error. A reading that has begun is not broken off.
func (n *node) Goroutines(ctx context.Context) (GoroutineCount, error) {
	p, err := n.readGoroutines(ctx)
	if err != nil {
		return GoroutineCount{}, err
	}
	c := GoroutineCount{Time: p.time, Total: p.total, Strays: p.strays}
	at := n.Path()
	for path, t := range p.paths {
		if path != at && !isBelow(path, at) {
			continue
		}
		c.Supervised += t.Goroutines - t.Strays
		c.Inherited += t.Strays
		c.Paths = append(c.Paths, *t)
	}
	c.Strays += c.Inherited
	c.Elsewhere = c.Total - c.Supervised - c.Strays
	c.PathsTotal = len(c.Paths)
	slices.SortFunc(c.Paths, func(a, b PathGoroutines) int {
		return cmp.Or(cmp.Compare(b.Goroutines, a.Goroutines), cmp.Compare(a.Path, b.Path))
	})
	c.Paths = slices.Clip(c.Paths[:min(len(c.Paths), maxReported)])
	return c, nil
}

// isBelow reports whether path is a place below that of a supervisor.
func isBelow(path, supervisor string) bool {
	rest, ok := strings.CutPrefix(path, supervisor)
	return ok && strings.HasPrefix(rest, "/")
}

func (n *node) readGoroutines(ctx context.Context) (*goroutineProfile, error) {
	if ctx == nil {
		return nil, &ConfigError{Path: n.Path(), Field: "ctx", Value: nil, Problem: "is nil"}
	}
	p, err := n.top().goroutines.get(ctx, makeGoroutineProfile)
	if err != nil {
		return nil, err
	}
	return p, p.err
}

// The profile is not read again for goroutineRest after a reading, nor for goroutineRestFactor times what it took: with
// a million goroutines it takes seconds.
const (
	goroutineRest       = time.Second
	goroutineRestFactor = 10
)

// makeGoroutineProfile reads it, and says for how long it is the answer. An error of the profile is a part of it.
func makeGoroutineProfile() (*goroutineProfile, time.Duration, error) {
	began := time.Now()
	p := takeGoroutineProfile(began)
	return p, max(goroutineRest, goroutineRestFactor*time.Since(began)), nil
}

// A goroutineProfile is a goroutine profile of the process. It does not change once it is made.
type goroutineProfile struct {
	time    time.Time
	err     error
	total   int
	strays  int // without a label
	paths   map[string]*PathGoroutines
	records []goroutineRecord // those with a label
}

// A goroutineRecord stands for goroutines that have the same stack and the same labels.
type goroutineRecord struct {
	count int
	path  string // of the supervisor
	child string // path#id, if the child is Traceable
	stack *goroutineStack
}

var errGoroutineProfile = errors.New("headcount: the goroutine profile of this Go version cannot be read")

func takeGoroutineProfile(now time.Time) *goroutineProfile {
	return readGoroutineProfile(now, func(w io.Writer) error {
		// The text form: it is documented, has the labels, and can be read as it is written.
		return pprof.Lookup("goroutine").WriteTo(w, 1)
	})
}

func readGoroutineProfile(now time.Time, write func(io.Writer) error) *goroutineProfile {
	parser := newProfileParser(now)
	err := write(parser)
	p := parser.finish()
	if err != nil {
		p.err = err
	}
	return p
}

// add counts goroutines of one stack and one set of labels.
func (p *goroutineProfile) add(r goroutineRecord) {
	p.total += r.count
	if r.path == "" {
		if r.stack.whose == nobodys {
			p.strays += r.count
		}
		return
	}
	t := p.paths[r.path]
	if t == nil {
		t = &PathGoroutines{Path: r.path}
		p.paths[r.path] = t
	}
	t.Goroutines += r.count
	if r.stack.stray() {
		t.Strays += r.count
	}
	p.records = append(p.records, r)
}
