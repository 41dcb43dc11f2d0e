package observe

import (
	"cmp"
	"fmt"

	"github.com/headcount-go/headcount"
	"github.com/headcount-go/headcount/internal/plain"
	"github.com/headcount-go/headcount/observe/wire"
)

// same reports whether nothing that is shown has changed.
func same(r, o *wire.Row) bool {
	a, b := *r, *o
	a.RefusedBy, b.RefusedBy = nil, nil
	if len(r.RefusedBy) != len(o.RefusedBy) {
		return false
	}
	for i := range r.RefusedBy {
		if r.RefusedBy[i] != o.RefusedBy[i] {
			return false
		}
	}
	return keyOf(&a) == keyOf(&b)
}

type rowKey struct {
	path, parent, name, kind, strategy, state, source, cappedBy string
	status                                                      wire.Status
	numbers                                                     [15]int64
	within                                                      float64
	oldest                                                      int64
}

func keyOf(r *wire.Row) rowKey {
	return rowKey{
		r.Path, r.Parent, r.Name, r.Kind, r.Strategy, r.State, r.Source, r.CappedBy, r.Status,
		[15]int64{
			int64(r.Index), int64(r.Depth), int64(r.Rank), int64(r.Children), int64(r.Limit), int64(r.Peak), int64(r.Waiting), int64(r.Stuck),
			int64(r.Restarting), int64(r.Descendants), int64(r.MaxDescendants), int64(r.RefusedMinute), int64(r.RestartsMinute),
			int64(r.RestartsUsed), int64(r.RestartsMost),
		},
		r.RestartsWithin, r.Oldest.UnixNano(),
	}
}

// judge gives a row its status.
func judge(r *wire.Row) {
	share := func(n int, limit wire.Value) float64 {
		if limit == headcount.Unlimited || limit == 0 {
			return 0
		}
		return float64(n) / float64(limit)
	}
	// A supervisor with declared children is as full as it was declared to be: that is no problem of its own.
	use := share(r.Descendants, r.MaxDescendants)
	if r.Kind != headcount.SupervisorKind.String() {
		use = max(use, share(r.Children, r.Limit))
		if r.Limit == 0 {
			use = max(use, 1)
			if r.Children > 0 {
				use = 2
			}
		}
	}
	switch {
	case r.Stuck > 0:
		r.Status = wire.StatusStuck
	case r.State != string(headcount.StateRunning):
		r.Status = wire.StatusDown
	case r.RefusedMinute > 0:
		r.Status = wire.StatusRefusing
	case use > 1:
		r.Status = wire.StatusAbove
	case use == 1:
		r.Status = wire.StatusFull
	case r.Restarting > 0 || r.RestartsMinute > 0:
		r.Status = wire.StatusRestarting
	case use >= 0.8:
		r.Status = wire.StatusNear
	case r.Limit == headcount.Unlimited:
		r.Status = wire.StatusUnlimited
	default:
		r.Status = wire.StatusOK
	}
	r.Rank = r.Status.Rank()
}

// sourceOf is where the value of a limit comes from; a program need not say it.
func sourceOf(s headcount.LimitSnapshot) string {
	return cmp.Or(plain.Shown(s.Setting.Source), "unknown")
}

func viewLimit(s headcount.LimitSnapshot) wire.Limit {
	v := wire.Limit{
		Name: s.Name, InForce: wire.Value(s.InForce), Value: wire.Value(s.Setting.Value), Ceiling: wire.Value(s.Ceiling),
		Source: sourceOf(s), By: plain.Shown(s.Setting.By), Why: plain.Shown(s.Setting.Why),
		When: s.Setting.When, Expires: s.Setting.Expires, Review: s.Setting.Review, Caps: []wire.Cap{},
	}
	for _, c := range s.Caps {
		v.Caps = append(v.Caps, wire.Cap{Name: plain.Shown(c.Name), Value: wire.Value(c.Value), Since: c.Since, Why: plain.Shown(c.Why)})
	}
	return v
}

func viewSources(all []headcount.LimitSource) []wire.Source {
	views := []wire.Source{}
	for _, s := range all {
		v := wire.Source{Name: plain.Shown(s.Name), Set: s.Set, Refused: s.Refused}
		if s.Err != nil {
			v.Error = plain.Cut(errorText(s.Err), maxWhy)
		}
		views = append(views, v)
	}
	return views
}

func viewChild(i headcount.ChildInfo) wire.Child {
	v := wire.Child{
		ID: i.ID, Name: plain.Shown(i.Name), Key: i.Key, Path: i.Path, Kind: i.Kind.String(), State: string(i.State), Restart: i.Restart.String(),
		Started: i.Started, Restarts: i.Restarts, Goroutines: i.Goroutines, Bytes: i.Bytes, StuckFor: i.StuckFor.Seconds(),
	}
	if i.LastError != nil {
		v.LastError = plain.Cut(errorText(i.LastError), maxWhy)
	}
	return v
}

// errorText is the text of a user's error, whose methods may panic.
func errorText(err error) (text string) {
	defer func() {
		if recover() != nil {
			text = fmt.Sprintf("(no text: %T panics)", err)
		}
	}()
	return err.Error()
}
