package wire

import (
	"cmp"
	"slices"
	"time"
)

// A Snapshot is the whole tree at one moment.
type Snapshot struct {
	ID      string    `json:"id" doc:"of this moment in the stream of events"`
	Time    time.Time `json:"time"`
	Root    string    `json:"root" doc:"the path of the root"`
	Since   time.Time `json:"since,omitzero" doc:"when the root has started"`
	Changes bool      `json:"changes" doc:"whether limits can be changed here"`
	Totals  Totals    `json:"totals"`
	Rows    []Row     `json:"rows" doc:"all supervisors, each before those below it"`
	Events  []Event   `json:"events" doc:"the last hundred, the newest last"`
}

// Totals are the numbers of the whole tree.
type Totals struct {
	Supervisors    int    `json:"supervisors"`
	Children       int    `json:"children" doc:"below a root with max_descendants; else those of all dynamic and keyed supervisors"`
	Limit          Value  `json:"limit" doc:"that max_descendants; else the sum of the limits"`
	RefusedMinute  uint64 `json:"refused_minute"`
	RestartsMinute uint64 `json:"restarts_minute"`
	Waiting        int    `json:"waiting"`
	Stuck          int    `json:"stuck"`
	Goroutines     int    `json:"goroutines" doc:"of the process"`
	Supervised     int    `json:"supervised" doc:"those that are children's, read each ten seconds while somebody follows; -1 where it is not known: nobody does, or there are more than 10,000"`
	Problems       int    `json:"problems" doc:"supervisors that refuse, are stuck, do not run or are above their limit"`
}

// An Event is something that happened in the tree.
type Event struct {
	ID   uint64    `json:"id,string" doc:"rises with each event"`
	Time time.Time `json:"time"`
	Type string    `json:"type" doc:"such as LimitReached"`
	Path string    `json:"path"`
	Text string    `json:"text" doc:"the event in one line"`
}

// A Delta is what has changed since the moment before.
type Delta struct {
	ID     string    `json:"id"`
	Time   time.Time `json:"time"`
	Since  time.Time `json:"since,omitzero" doc:"when the root has started"`
	Totals Totals    `json:"totals"`
	Rows   []Row     `json:"rows" doc:"supervisors that are new or have changed"`
	Gone   []string  `json:"gone" doc:"paths of those that are not there any more"`
	Events []Event   `json:"events" doc:"new ones, the newest last, at most a hundred"`
	Missed uint64    `json:"missed" doc:"how many more there were"`
}

// KeptEvents is how many events After keeps.
const KeptEvents = 1000

// After is the snapshot as it is after a delta. What the two share is not changed.
func (s *Snapshot) After(d *Delta) *Snapshot {
	changed := make(map[string]bool, len(d.Rows)+len(d.Gone))
	for i := range d.Rows {
		changed[d.Rows[i].Path] = true
	}
	for _, path := range d.Gone {
		changed[path] = true
	}
	n := *s
	n.ID, n.Time, n.Since, n.Totals = d.ID, d.Time, d.Since, d.Totals
	n.Rows = make([]Row, 0, len(s.Rows)+len(d.Rows))
	for i := range s.Rows {
		if !changed[s.Rows[i].Path] {
			n.Rows = append(n.Rows, s.Rows[i])
		}
	}
	n.Rows = append(n.Rows, d.Rows...)
	slices.SortStableFunc(n.Rows, func(a, b Row) int { return cmp.Compare(a.Index, b.Index) })
	n.Events = slices.Concat(s.Events, d.Events)
	n.Events = n.Events[max(0, len(n.Events)-KeptEvents):]
	return &n
}
