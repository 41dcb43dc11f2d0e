package wire

import (
	"github.com/headcount-go/headcount"
	"strings"
	"time"
)

// A Row is a supervisor as the tree shows it.
type Row struct {
	Path     string `json:"path"`
	Parent   string `json:"parent" doc:"the path of the supervisor above; empty for the root"`
	Index    int    `json:"index" doc:"its place in the order of the tree"`
	Depth    int    `json:"depth" doc:"1 for the root"`
	Name     string `json:"name"`
	Kind     string `json:"kind" doc:"supervisor, dynamic_supervisor or keyed_supervisor"`
	Strategy string `json:"strategy,omitempty" doc:"of a supervisor with declared children"`
	State    string `json:"state" doc:"what it does: starting, running, restarting, stopping, stuck or stopped"`
	Status   Status `json:"status" doc:"how it is, in a word"`
	Rank     int    `json:"rank" doc:"how much it needs looking at; 0 is not at all"`

	Children   int   `json:"children" doc:"slots held"`
	Limit      Value `json:"limit" doc:"max_children in force"`
	Peak       int   `json:"peak" doc:"the most slots ever held at once"`
	Waiting    int   `json:"waiting" doc:"starts that wait for a slot"`
	Stuck      int   `json:"stuck" doc:"children past their allowance"`
	Restarting int   `json:"restarting" doc:"children between two runs"`

	Descendants    int   `json:"descendants" doc:"children below it at any depth; -1 where they are not counted"`
	MaxDescendants Value `json:"max_descendants" doc:"the limit on them; unlimited where there is none"`

	RefusedMinute  uint64        `json:"refused_minute" doc:"starts refused in the last minute"`
	RefusedBy      []ReasonCount `json:"refused_by" doc:"the same by reason, the most frequent first"`
	RestartsMinute uint64        `json:"restarts_minute" doc:"restarts in the last minute"`
	RestartsUsed   int           `json:"restarts_used" doc:"of the budget of restarts that the children share; 0 where each has its own"`
	RestartsMost   int           `json:"restarts_allowed"`
	RestartsWithin float64       `json:"restarts_within_seconds"`

	Oldest   time.Time `json:"oldest,omitzero" doc:"when the child that is there longest has started"`
	Source   string    `json:"source" doc:"where max_children comes from: code, page, file, command, expiry"`
	CappedBy string    `json:"capped_by,omitempty" doc:"the cap that is in force"`
}

// A ReasonCount is how many starts were refused for a reason.
type ReasonCount struct {
	Reason string `json:"reason"`
	Count  uint64 `json:"count"`
}

// A Use is how much of what limit is used.
type Use struct {
	Count int
	Limit Value
}

// Use is that of the subtree where it has a limit, since the children of a supervisor with declared ones are as many as
// were declared.
func (r Row) Use() Use {
	if r.MaxDescendants != Unlimited && r.Kind == headcount.SupervisorKind.String() {
		return Use{r.Descendants, r.MaxDescendants}
	}
	return Use{r.Children, r.Limit}
}

// SharesBudget reports whether the children have a budget of restarts together, and not each its own. Of a dynamic
// supervisor that is known once some of it is used.
func (r Row) SharesBudget() bool {
	return r.Kind == headcount.SupervisorKind.String() || r.RestartsUsed > 0
}

// Bounded reports whether there is a limit.
func (u Use) Bounded() bool { return u.Limit != Unlimited }

// Fill is how much of a meter 100 wide is filled.
func (u Use) Fill() int {
	if u.Limit == 0 {
		return min(100, u.Count*100)
	}
	return min(100, u.Count*100/int(u.Limit))
}

// Matches reports whether the row has all words of a filter: a part of its path; state: and a status, a state, full for
// all that have no slot free, or problem; or unlimited. The script of the page has the same rule.
func (r *Row) Matches(filter string) bool {
	for _, word := range strings.Fields(strings.ToLower(filter)) {
		state, isState := strings.CutPrefix(word, "state:")
		matches := false
		switch {
		case isState && state == "full":
			matches = r.Status == StatusFull || r.Status == StatusRefusing || r.Status == StatusAbove
		case isState && state == "problem":
			matches = r.Status.Problem()
		case isState:
			matches = strings.ReplaceAll(string(r.Status), " ", "-") == state || r.State == state
		case word == UnlimitedWord:
			matches = r.Limit == Unlimited
		default:
			matches = strings.Contains(strings.ToLower(r.Path), word)
		}
		if !matches {
			return false
		}
	}
	return true
}
