package observe

import (
	"time"

	"github.com/headcount-go/headcount/observe/wire"
)

// counters only rise.
type counters []uint64

func (c counters) sum() (n uint64) {
	for _, v := range c {
		n += v
	}
	return n
}

// A minute remembers counters every few seconds, to tell how much they have risen in the last minute.
type minute struct {
	marks [minuteMarks]mark
	next  int
	count int
}

const (
	minuteMarks = 13
	minuteStep  = 5 * time.Second
)

type mark struct {
	when   time.Time
	values counters
}

// note gives how much each counter has risen in the last minute, or since the first note if that is later.
func (m *minute) note(now time.Time, values counters) counters {
	last := &m.marks[(m.next+minuteMarks-1)%minuteMarks]
	if m.count == 0 || now.Sub(last.when) >= minuteStep || len(last.values) != len(values) {
		if m.count > 0 && len(last.values) != len(values) {
			*m = minute{}
		}
		m.marks[m.next] = mark{now, values}
		m.next = (m.next + 1) % minuteMarks
		m.count = min(m.count+1, minuteMarks)
	}
	risen := make(counters, len(values))
	for i := range m.count {
		from := &m.marks[(m.next+minuteMarks-m.count+i)%minuteMarks]
		if now.Sub(from.when) > time.Minute {
			continue
		}
		for k, v := range values {
			if v > from.values[k] {
				risen[k] = v - from.values[k]
			}
		}
		break
	}
	return risen
}

// A history is the last hour of one supervisor in steps of ten seconds. It takes some 9 KiB once it is full, and grows to
// that as the hour passes.
type history struct {
	kept    []slot
	next    int
	refused uint64
}

const (
	historyStep  = 10 * time.Second
	historySlots = int(time.Hour / historyStep)
)

type slot struct {
	step                  int64 // since the epoch
	children, peak, limit int32
	refused               uint32
}

const noLimit = -1

// note adds what was seen; Refused is the counter as it stands.
func (h *history) note(now time.Time, p wire.Point) {
	step := now.Unix() / int64(historyStep/time.Second)
	s := slot{step: step, children: int32(p.Children), peak: int32(p.Peak), limit: noLimit}
	if p.Limit <= wire.Value(1<<30) {
		s.limit = int32(p.Limit)
	}
	if len(h.kept) > 0 {
		s.refused = uint32(min(p.Refused-h.refused, 1<<32-1))
	}
	h.refused = p.Refused
	if len(h.kept) == 0 {
		h.kept = append(h.kept, s)
		return
	}
	last := &h.kept[(h.next+len(h.kept)-1)%len(h.kept)]
	switch {
	case last.step == step:
		s.peak = max(s.peak, last.peak)
		s.refused += last.refused
		*last = s
	case len(h.kept) < historySlots:
		h.kept = append(h.kept, s)
	default:
		h.kept[h.next] = s
		h.next = (h.next + 1) % historySlots
	}
}

// points are the history, the oldest first.
func (h *history) points() []wire.Point {
	points := make([]wire.Point, 0, len(h.kept))
	for i := range h.kept {
		s := h.kept[(h.next+i)%len(h.kept)]
		p := wire.Point{
			Time: time.Unix(s.step*int64(historyStep/time.Second), 0).UTC(), Children: int(s.children), Peak: int(s.peak),
			Limit: wire.Value(s.limit), Refused: uint64(s.refused),
		}
		if s.limit == noLimit {
			p.Limit = wire.Unlimited
		}
		points = append(points, p)
	}
	return points
}
