package observe

import (
	"cmp"
	"context"
	"crypto/rand"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/headcount-go/headcount"
	"github.com/headcount-go/headcount/internal/plain"
	"github.com/headcount-go/headcount/observe/wire"
)

const (
	busyPause   = time.Second      // between two looks at the tree while somebody follows
	idlePause   = 5 * time.Second  // and while nobody does
	countPause  = 10 * time.Second // between two countings of goroutines
	maxCounted  = 10_000
	keptDeltas  = 60
	keptRows    = 20_000 // of all kept deltas together
	keptEvents  = 1000
	shownEvents = 100
	keptHistory = 2000 // supervisors
)

// A watcher looks at the tree and remembers: the rows as they were, so that it can tell what has changed; a minute of
// counters, for rates; an hour of history; the last events.
//
// It has two locks. looking is held during a look and guards what only looks need; mu guards what readers get, and is
// held briefly. looking is taken first.
type watcher struct {
	root   headcount.Node
	audit  *auditLog
	viewed func() bool
	epoch  string // tells the streams of two lives of the process apart

	supervised atomic.Int64 // goroutines of children, or -1

	looking sync.Mutex
	tracked map[string]*tracked
	kept    int // of tracked, how many have a history
	changed []wire.Row

	mu struct {
		sync.Mutex
		seq    uint64
		last   wire.Snapshot // its rows are never changed, only replaced
		looked time.Time
		deltas []wire.Delta // the newest last, with rising numbers without a gap
		rows   int          // of deltas
		events []wire.Event
		event  uint64        // the number of the last one
		told   uint64        // and of the last one that a delta has
		missed uint64        // events that no buffer had room for
		tick   chan struct{} // closed at each look
	}
}

// tracked is what is remembered of one supervisor.
type tracked struct {
	row     wire.Row
	minute  minute
	history *history // nil past the bound
	seen    uint64
}

func newWatcher(root headcount.Node, audit *auditLog, viewed func() bool) *watcher {
	w := &watcher{root: root, audit: audit, viewed: viewed, epoch: rand.Text()[:8], tracked: make(map[string]*tracked)}
	w.mu.tick = make(chan struct{})
	w.supervised.Store(-1)
	return w
}

// run looks at the tree until its context ends.
func (w *watcher) run(ctx context.Context) error {
	sub := w.root.Events(1024)
	defer sub.Close()
	w.look(time.Now())
	headcount.Ready(ctx)
	ticker := time.NewTicker(busyPause)
	defer ticker.Stop()
	dropped := uint64(0)
	var counted time.Time
	for {
		select {
		case <-ctx.Done():
			return nil
		case e := <-sub.C():
			w.hear(e)
		case now := <-ticker.C:
			if d := sub.Dropped(); d != dropped {
				w.miss(d - dropped)
				dropped = d
			}
			if viewed := w.viewed(); !viewed {
				w.supervised.Store(-1)
				counted = time.Time{}
			} else if now.Sub(counted) >= countPause {
				w.countGoroutines(ctx)
				counted = now
			}
			if w.viewed() || now.Sub(w.lookedAt()) >= idlePause {
				w.look(now)
			}
		}
	}
}

// countGoroutines reads whose the goroutines are, if that is cheap: it costs some microseconds for each, and holds up the
// process for a part of that.
func (w *watcher) countGoroutines(ctx context.Context) {
	if runtime.NumGoroutine() > maxCounted {
		w.supervised.Store(-1)
		return
	}
	if g, err := w.root.Goroutines(ctx); err == nil {
		w.supervised.Store(int64(g.Supervised))
	}
}

func (w *watcher) lookedAt() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.mu.looked
}

// hear remembers an event.
func (w *watcher) hear(e headcount.Event) {
	h := wire.Event{
		Time: e.EventTime(), Type: strings.TrimPrefix(fmt.Sprintf("%T", e), "headcount."), Path: e.EventPath(), Text: plain.Cut(e.String(), 1000),
	}
	if c, ok := e.(headcount.LimitChanged); ok {
		w.audit.overheard(c)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.mu.event++
	h.ID = w.mu.event
	w.mu.events = append(w.mu.events, h)
	if len(w.mu.events) > 2*keptEvents {
		w.mu.events = slices.Clone(w.mu.events[keptEvents:])
	}
}

func (w *watcher) miss(n uint64) {
	w.mu.Lock()
	w.mu.missed += n
	w.mu.Unlock()
}

// now gives the tree as it is: as at the last look, or at one that is made for it.
func (w *watcher) now() wire.Snapshot {
	if time.Since(w.lookedAt()) > busyPause {
		w.look(time.Now())
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	s := w.mu.last
	// Those that no delta has yet are told by the next one.
	told := w.mu.events[:max(0, len(w.mu.events)-int(w.mu.event-w.mu.told))]
	s.Events = append([]wire.Event{}, told[max(0, len(told)-shownEvents):]...)
	return s
}

// eventsAt gives the last events at a path and below it, the newest first.
func (w *watcher) eventsAt(path string, n int) []wire.Event {
	w.mu.Lock()
	defer w.mu.Unlock()
	found := []wire.Event{}
	for _, e := range slices.Backward(w.mu.events) {
		if len(found) == n {
			break
		}
		if e.Path == path || strings.HasPrefix(e.Path, path+"/") {
			found = append(found, e)
		}
	}
	return found
}

// look looks at the tree and notes what has changed.
func (w *watcher) look(now time.Time) {
	w.looking.Lock()
	defer w.looking.Unlock()
	if now.Before(w.lookedAt()) {
		return // somebody has, meanwhile
	}
	nodes := collect(w.root)
	w.mu.Lock()
	seq := w.mu.seq + 1
	w.mu.Unlock()

	rows := make([]wire.Row, 0, len(nodes))
	w.changed = w.changed[:0]
	sum := wire.Totals{Goroutines: runtime.NumGoroutine(), Supervised: int(w.supervised.Load())}
	for i := range nodes {
		t, fresh := w.track(nodes[i].TreeNode.Path)
		r := t.note(&nodes[i], i, now)
		if fresh || !same(&r, &t.row) {
			w.changed = append(w.changed, r)
		}
		t.row, t.seen = r, seq
		rows = append(rows, r)
		add(&sum, &r)
	}
	gone := []string{}
	for path, t := range w.tracked {
		if t.seen != seq {
			gone = append(gone, path)
			if t.history != nil {
				w.kept--
			}
			delete(w.tracked, path)
		}
	}
	slices.Sort(gone)
	var since time.Time
	if len(nodes) > 0 {
		since = nodes[0].Since
		if most := rows[0].MaxDescendants; nodes[0].Descendants >= 0 {
			sum.Children, sum.Limit = nodes[0].Descendants, most
		}
	}
	d := wire.Delta{Time: now, Since: since, Totals: sum, Rows: slices.Clone(w.changed), Gone: gone}
	if d.Rows == nil {
		d.Rows = []wire.Row{}
	}
	w.publish(seq, d, wire.Snapshot{Time: now, Root: w.root.Path(), Since: since, Totals: sum, Rows: rows})
}

// publish gives readers what a look has found.
func (w *watcher) publish(seq uint64, d wire.Delta, s wire.Snapshot) {
	w.mu.Lock()
	defer w.mu.Unlock()
	d.ID = w.id(seq)
	s.ID = d.ID
	d.Events, d.Missed = w.newEventsLocked()
	w.mu.seq, w.mu.last, w.mu.looked = seq, s, s.Time
	w.mu.deltas = append(w.mu.deltas, d)
	w.mu.rows += len(d.Rows)
	for len(w.mu.deltas) > 1 && (len(w.mu.deltas) > keptDeltas || w.mu.rows > keptRows) {
		w.mu.rows -= len(w.mu.deltas[0].Rows)
		w.mu.deltas = slices.Delete(w.mu.deltas, 0, 1)
	}
	close(w.mu.tick)
	w.mu.tick = make(chan struct{})
}

func (w *watcher) id(seq uint64) string { return fmt.Sprintf("%s-%d", w.epoch, seq) }

// newEventsLocked gives the events that no delta has yet, and how many more there were.
func (w *watcher) newEventsLocked() ([]wire.Event, uint64) {
	fresh := w.mu.event - w.mu.told
	w.mu.told = w.mu.event
	missed := w.mu.missed
	w.mu.missed = 0
	show := min(fresh, shownEvents)
	events := slices.Clone(w.mu.events[len(w.mu.events)-int(show):])
	if events == nil {
		events = []wire.Event{}
	}
	return events, missed + fresh - show
}

// since gives what has changed since the moment of this id, as one delta, and the channel that is closed at the next look.
// ok is false if the id is not of this life, or too old: then all must be told anew.
func (w *watcher) since(id string) (d wire.Delta, tick <-chan struct{}, ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	var seq uint64
	epoch, number, found := strings.Cut(id, "-")
	if !found || epoch != w.epoch {
		return wire.Delta{}, w.mu.tick, false
	}
	if _, err := fmt.Sscanf(number, "%d", &seq); err != nil || seq > w.mu.seq {
		return wire.Delta{}, w.mu.tick, false
	}
	behind := int(w.mu.seq - seq)
	if behind == 0 {
		return wire.Delta{ID: id}, w.mu.tick, true
	}
	if behind > len(w.mu.deltas) {
		return wire.Delta{}, w.mu.tick, false
	}
	return merge(w.mu.deltas[len(w.mu.deltas)-behind:]), w.mu.tick, true
}

// merge makes one delta of several: of each row the last.
func merge(all []wire.Delta) wire.Delta {
	last := all[len(all)-1]
	if len(all) == 1 {
		return last
	}
	rows := make(map[string]*wire.Row)
	gone := make(map[string]bool)
	d := wire.Delta{ID: last.ID, Time: last.Time, Since: last.Since, Totals: last.Totals, Rows: []wire.Row{}, Gone: []string{}, Events: []wire.Event{}}
	for _, x := range all {
		for _, path := range x.Gone {
			delete(rows, path)
			gone[path] = true
		}
		for i := range x.Rows {
			rows[x.Rows[i].Path] = &x.Rows[i]
			delete(gone, x.Rows[i].Path)
		}
		d.Events = append(d.Events, x.Events...)
		d.Missed += x.Missed
	}
	for _, r := range rows {
		d.Rows = append(d.Rows, *r)
	}
	slices.SortFunc(d.Rows, func(a, b wire.Row) int { return a.Index - b.Index })
	d.Gone = slices.AppendSeq(d.Gone, maps.Keys(gone))
	slices.Sort(d.Gone)
	if more := len(d.Events) - shownEvents; more > 0 {
		d.Events = d.Events[more:]
		d.Missed += uint64(more)
	}
	return d
}

// add counts a row.
func add(s *wire.Totals, r *wire.Row) {
	s.Supervisors++
	s.RefusedMinute += r.RefusedMinute
	s.RestartsMinute += r.RestartsMinute
	s.Waiting += r.Waiting
	s.Stuck += r.Stuck
	if r.Status.Problem() {
		s.Problems++
	}
	if r.Kind == headcount.SupervisorKind.String() {
		return
	}
	s.Children += r.Children
	if s.Limit == headcount.Unlimited || r.Limit == headcount.Unlimited {
		s.Limit = headcount.Unlimited
		return
	}
	s.Limit += r.Limit
}

// track gives what is remembered at the path.
func (w *watcher) track(path string) (t *tracked, fresh bool) {
	if t = w.tracked[path]; t != nil {
		return t, false
	}
	t = &tracked{}
	if w.kept < keptHistory {
		w.kept++
		t.history = &history{}
	}
	w.tracked[path] = t
	return t, true
}

// historyOf gives the history at the path; ok is false if none is kept.
func (w *watcher) historyOf(path string) (points []wire.Point, ok bool) {
	w.looking.Lock()
	defer w.looking.Unlock()
	t := w.tracked[path]
	if t == nil || t.history == nil {
		return nil, false
	}
	return t.history.points(), true
}

// note makes the row of a supervisor, and remembers its numbers.
func (t *tracked) note(p *placed, index int, now time.Time) wire.Row {
	c := &p.Counts
	r := wire.Row{
		Path: p.Path, Parent: p.parent, Index: index, Depth: p.depth, Name: p.Name, Kind: p.Kind.String(), State: string(p.State),
		Children: c.Running, Limit: wire.Value(c.Limit), Peak: c.Peak, Waiting: c.Waiting, Stuck: c.Stuck, Restarting: c.Restarting,
		Descendants: p.Descendants, MaxDescendants: headcount.Unlimited,
		RestartsUsed: p.RestartsUsed, RestartsMost: p.RestartsAllowed, RestartsWithin: p.RestartsWithin.Seconds(),
	}
	if p.Kind == headcount.SupervisorKind {
		r.Strategy = p.Strategy.String()
	}
	if p.Oldest > 0 {
		r.Oldest = now.Add(-p.Oldest).Truncate(time.Second).UTC()
		if d := r.Oldest.Sub(t.row.Oldest); d > -2*time.Second && d < 2*time.Second {
			r.Oldest = t.row.Oldest // it is measured to about a second: what has not changed stays as it is
		}
	}
	for _, l := range p.Limits {
		switch l.Name {
		case "max_children":
			r.Source = sourceOf(l)
			for _, cap := range l.Caps {
				if cap.Value == l.InForce && l.InForce < l.Setting.Value {
					r.CappedBy = plain.Shown(cap.Name)
				}
			}
		case "max_descendants":
			r.MaxDescendants = wire.Value(l.InForce)
		}
	}
	var reasons []wire.ReasonCount
	count := func(reason string, n uint64) { reasons = append(reasons, wire.ReasonCount{Reason: reason, Count: n}) }
	count("max_children", c.Refused.MaxChildren)
	count("max_per_key", c.Refused.MaxPerKey)
	count("max_descendants", c.Refused.MaxDescendants)
	count("queue_full", c.Refused.QueueFull)
	count("wait_timeout", c.Refused.WaitTimeout)
	count("priority", c.Refused.Priority)
	for _, g := range p.Gates {
		count(g.Name, g.Refused)
	}
	values := make(counters, 0, len(reasons)+1)
	for _, reason := range reasons {
		values = append(values, reason.Count)
	}
	values = append(values, c.Restarts)
	past := t.minute.note(now, values)
	r.RefusedBy = []wire.ReasonCount{}
	for i, reason := range reasons {
		if past[i] > 0 {
			r.RefusedBy = append(r.RefusedBy, wire.ReasonCount{Reason: reason.Reason, Count: past[i]})
			r.RefusedMinute += past[i]
		}
	}
	slices.SortStableFunc(r.RefusedBy, func(a, b wire.ReasonCount) int { return cmp.Compare(b.Count, a.Count) })
	r.RestartsMinute = past[len(reasons)]
	judge(&r)
	if t.history != nil {
		most := c.Running
		if c.Peak > t.row.Peak && t.seen > 0 {
			most = c.Peak // it was reached since the last look
		}
		t.history.note(now, wire.Point{Children: c.Running, Peak: most, Limit: wire.Value(c.Limit), Refused: values[:len(reasons)].sum()})
	}
	return r
}
