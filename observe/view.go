package observe

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"

	"github.com/headcount-go/headcount"
)

// A limitValue is a limit in JSON: a number, or "unlimited".
type limitValue int

const (
	unlimitedWord = "unlimited"
	unlimited     = limitValue(headcount.Unlimited)
)

func (v limitValue) MarshalJSON() ([]byte, error) {
	if v == headcount.Unlimited {
		return []byte(`"` + unlimitedWord + `"`), nil
	}
	return json.Marshal(int(v))
}

func (v *limitValue) UnmarshalJSON(b []byte) error {
	if bytes.Equal(b, []byte(`"`+unlimitedWord+`"`)) {
		*v = headcount.Unlimited
		return nil
	}
	var n int
	if err := json.Unmarshal(b, &n); err != nil {
		return fmt.Errorf("a limit is a whole number or %q", unlimitedWord)
	}
	*v = limitValue(n)
	return nil
}

func (v limitValue) String() string {
	if v == headcount.Unlimited {
		return unlimitedWord
	}
	return grouped(int64(v))
}

// A row is a supervisor as the tree shows it.
type row struct {
	Path     string `json:"path"`
	Parent   string `json:"parent" doc:"the path of the supervisor above; empty for the root"`
	Index    int    `json:"index" doc:"its place in the order of the tree"`
	Depth    int    `json:"depth" doc:"1 for the root"`
	Name     string `json:"name"`
	Kind     string `json:"kind" doc:"supervisor, dynamic_supervisor or keyed_supervisor"`
	Strategy string `json:"strategy,omitempty" doc:"of a supervisor with declared children"`
	State    string `json:"state" doc:"what it does: starting, running, restarting, stopping, stuck or stopped"`
	Status   status `json:"status" doc:"how it is, in a word"`
	Rank     int    `json:"rank" doc:"how much it needs looking at; 0 is not at all"`

	Children   int        `json:"children" doc:"slots held"`
	Limit      limitValue `json:"limit" doc:"max_children in force"`
	Peak       int        `json:"peak" doc:"the most slots ever held at once"`
	Waiting    int        `json:"waiting" doc:"starts that wait for a slot"`
	Stuck      int        `json:"stuck" doc:"children past their allowance"`
	Restarting int        `json:"restarting" doc:"children between two runs"`

	Descendants    int        `json:"descendants" doc:"children below it at any depth; -1 where they are not counted"`
	MaxDescendants limitValue `json:"max_descendants" doc:"the limit on them; unlimited where there is none"`

	RefusedMinute  uint64       `json:"refused_minute" doc:"starts refused in the last minute"`
	RefusedBy      []reasonRate `json:"refused_by" doc:"the same by reason, the most frequent first"`
	RestartsMinute uint64       `json:"restarts_minute" doc:"restarts in the last minute"`
	RestartsUsed   int          `json:"restarts_used" doc:"of the budget of restarts"`
	RestartsMost   int          `json:"restarts_allowed"`
	RestartsWithin float64      `json:"restarts_within_seconds"`

	Oldest   time.Time `json:"oldest,omitzero" doc:"when the child that is there longest has started"`
	Source   string    `json:"source" doc:"where max_children comes from: code, page, file, command, expiry"`
	CappedBy string    `json:"capped_by,omitempty" doc:"the cap that is in force"`
}

// same reports whether nothing that is shown has changed.
func (r *row) same(o *row) bool {
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
	return a.comparable() == b.comparable()
}

type rowKey struct {
	path, parent, name, kind, strategy, state, source, cappedBy string
	status                                                      status
	numbers                                                     [15]int64
	within                                                      float64
	oldest                                                      int64
}

func (r *row) comparable() rowKey {
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

type reasonRate struct {
	Reason string `json:"reason"`
	Count  uint64 `json:"count"`
}

// A status says in a word how a supervisor is; the worst that is true of it.
type status string

const (
	statusStuck      status = "stuck"       // children have outlived their allowance
	statusDown       status = "down"        // it does not run
	statusRefusing   status = "refusing"    // starts were refused in the last minute
	statusAbove      status = "above limit" // the limit was lowered below what runs
	statusFull       status = "full"
	statusRestarting status = "restarting" // children fail and are run again
	statusNear       status = "near limit" // four fifths or more
	statusUnlimited  status = "unlimited"
	statusOK         status = "ok"
)

// ranks say which comes first, where problems do.
var ranks = map[status]int{
	statusStuck: 8, statusDown: 7, statusRefusing: 6, statusAbove: 5, statusFull: 4, statusRestarting: 3, statusNear: 2, statusUnlimited: 1, statusOK: 0,
}

// shapes are what a status is shown as beside its word, for those who do not see its colour.
var shapes = map[status]string{
	statusStuck: "✕", statusDown: "■", statusRefusing: "▲", statusAbove: "▲", statusFull: "◆", statusRestarting: "↻", statusNear: "◐", statusUnlimited: "∞", statusOK: "●",
}

func (s status) Shape() string { return shapes[s] }

// Class is the status as a word in a style sheet.
func (s status) Class() string {
	switch {
	case ranks[s] >= 5:
		return "bad"
	case ranks[s] >= 1:
		return "warn"
	}
	return "good"
}

func (r *row) judge() {
	share := func(n int, limit limitValue) float64 {
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
		r.Status = statusStuck
	case r.State != string(headcount.StateRunning):
		r.Status = statusDown
	case r.RefusedMinute > 0:
		r.Status = statusRefusing
	case use > 1:
		r.Status = statusAbove
	case use == 1:
		r.Status = statusFull
	case r.Restarting > 0 || r.RestartsMinute > 0:
		r.Status = statusRestarting
	case use >= 0.8:
		r.Status = statusNear
	case r.Limit == headcount.Unlimited:
		r.Status = statusUnlimited
	default:
		r.Status = statusOK
	}
	r.Rank = ranks[r.Status]
}

// totals are the numbers of the whole tree.
type totals struct {
	Supervisors    int        `json:"supervisors"`
	Children       int        `json:"children" doc:"below a root with max_descendants; else those of all dynamic and keyed supervisors"`
	Limit          limitValue `json:"limit" doc:"that max_descendants; else the sum of the limits"`
	RefusedMinute  uint64     `json:"refused_minute"`
	RestartsMinute uint64     `json:"restarts_minute"`
	Waiting        int        `json:"waiting"`
	Stuck          int        `json:"stuck"`
	Goroutines     int        `json:"goroutines" doc:"of the process"`
	Problems       int        `json:"problems" doc:"supervisors that refuse, are stuck, do not run or are above their limit"`
}

// A happening is an event of the tree.
type happening struct {
	ID   uint64    `json:"id,string" doc:"rises with each event"`
	Time time.Time `json:"time"`
	Type string    `json:"type" doc:"such as LimitReached"`
	Path string    `json:"path"`
	Text string    `json:"text" doc:"the event in one line"`
}

// A snapshot is the whole tree at one moment.
type snapshot struct {
	ID      string      `json:"id" doc:"of this moment in the stream of events"`
	Time    time.Time   `json:"time"`
	Root    string      `json:"root" doc:"the path of the root"`
	Since   time.Time   `json:"since,omitzero" doc:"when the root has started"`
	Changes bool        `json:"changes" doc:"whether limits can be changed here"`
	Totals  totals      `json:"totals"`
	Rows    []row       `json:"rows" doc:"all supervisors, each before those below it"`
	Events  []happening `json:"events" doc:"the last hundred, the newest last"`
}

// A delta is what has changed since the moment before.
type delta struct {
	ID     string      `json:"id"`
	Time   time.Time   `json:"time"`
	Since  time.Time   `json:"since,omitzero" doc:"when the root has started"`
	Totals totals      `json:"totals"`
	Rows   []row       `json:"rows" doc:"supervisors that are new or have changed"`
	Gone   []string    `json:"gone" doc:"paths of those that are not there any more"`
	Events []happening `json:"events" doc:"new ones, the newest last, at most a hundred"`
	Missed uint64      `json:"missed" doc:"how many more there were"`
}

// limitView is a limit with all there is to know of it.
type limitView struct {
	Name      string     `json:"name" doc:"max_children, max_per_key, max_descendants, or the name of a gate"`
	Gate      bool       `json:"gate" doc:"it is kept by another package"`
	Observing bool       `json:"observing" doc:"the gate refuses nothing and counts what it would"`
	Refused   uint64     `json:"refused" doc:"by the gate, since the start"`
	Observed  uint64     `json:"observed" doc:"what the gate would have refused"`
	InForce   limitValue `json:"in_force" doc:"the smallest of the value and the caps"`
	Value     limitValue `json:"value" doc:"what a person has set"`
	Ceiling   limitValue `json:"ceiling" doc:"no value may pass it"`
	Source    string     `json:"source" doc:"code, page, file, command, expiry"`
	By        string     `json:"by,omitempty"`
	Why       string     `json:"why,omitempty"`
	When      time.Time  `json:"when,omitzero"`
	Expires   time.Time  `json:"expires,omitzero" doc:"when the value before comes back"`
	Review    time.Time  `json:"review,omitzero" doc:"when somebody should look at it again"`
	Caps      []capView  `json:"caps" doc:"bounds that machines have put on it"`
}

type capView struct {
	Name  string     `json:"name"`
	Value limitValue `json:"value"`
	Since time.Time  `json:"since"`
	Why   string     `json:"why,omitempty"`
}

func viewLimit(s headcount.LimitSnapshot) limitView {
	v := limitView{
		Name: s.Name, InForce: limitValue(s.InForce), Value: limitValue(s.Setting.Value), Ceiling: limitValue(s.Ceiling),
		Source: shown(s.Setting.Source), By: shown(s.Setting.By), Why: shown(s.Setting.Why),
		When: s.Setting.When, Expires: s.Setting.Expires, Review: s.Setting.Review, Caps: []capView{},
	}
	for _, c := range s.Caps {
		v.Caps = append(v.Caps, capView{shown(c.Name), limitValue(c.Value), c.Since, shown(c.Why)})
	}
	return v
}

// detail is a supervisor with all there is to know of it.
type detail struct {
	Row      row         `json:"row"`
	Since    time.Time   `json:"since,omitzero" doc:"when its present life began"`
	Queue    int         `json:"queue" doc:"how many starts may wait"`
	Reserve  int         `json:"reserve" doc:"slots of the limits above that are its own"`
	Bytes    int64       `json:"bytes" doc:"charged by children"`
	MaxBytes int64       `json:"max_bytes" doc:"their budget; 0 is none"`
	Started  uint64      `json:"started"`
	Restarts uint64      `json:"restarts"`
	Refused  uint64      `json:"refused"`
	Exits    exits       `json:"exits"`
	Keyed    bool        `json:"keyed" doc:"whether it has top keys"`
	Limits   []limitView `json:"limits"`
}

type exits struct {
	Normal  uint64 `json:"normal"`
	Stopped uint64 `json:"stopped"`
	Error   uint64 `json:"error"`
	Panic   uint64 `json:"panic"`
	Goexit  uint64 `json:"goexit"`
}

// childView is a child.
type childView struct {
	ID         uint64    `json:"id,string"`
	Name       string    `json:"name"`
	Key        string    `json:"key,omitempty" doc:"as it is shown"`
	Path       string    `json:"path"`
	Kind       string    `json:"kind"`
	State      string    `json:"state"`
	Restart    string    `json:"restart" doc:"permanent, transient or temporary"`
	Started    time.Time `json:"started"`
	Restarts   int       `json:"restarts"`
	Goroutines int       `json:"goroutines"`
	Bytes      int64     `json:"bytes"`
	LastError  string    `json:"last_error,omitempty"`
	StuckFor   float64   `json:"stuck_seconds,omitempty"`
}

func viewChild(i headcount.ChildInfo) childView {
	v := childView{
		ID: i.ID, Name: shown(i.Name), Key: i.Key, Path: i.Path, Kind: i.Kind.String(), State: string(i.State), Restart: i.Restart.String(),
		Started: i.Started, Restarts: i.Restarts, Goroutines: i.Goroutines, Bytes: i.Bytes, StuckFor: i.StuckFor.Seconds(),
	}
	if i.LastError != nil {
		v.LastError = cutText(errorText(i.LastError), maxWhy)
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

// cutText is s in one line of at most limit bytes.
func cutText(s string, limit int) string {
	if len(s) > limit {
		s = s[:limit] + "…"
	}
	return shown(s)
}

// grouped is n with its thousands apart.
func grouped(n int64) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
