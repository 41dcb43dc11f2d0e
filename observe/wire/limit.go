package wire

import (
	"cmp"
	"time"
)

// A Limit is a limit with all there is to know of it.
type Limit struct {
	Name      string    `json:"name" doc:"max_children, max_per_key, max_descendants, or the name of a gate"`
	Gate      bool      `json:"gate" doc:"it is kept by another package"`
	Observing bool      `json:"observing" doc:"the gate refuses nothing and counts what it would"`
	Refused   uint64    `json:"refused" doc:"by the gate, since the start"`
	Observed  uint64    `json:"observed" doc:"what the gate would have refused"`
	InForce   Value     `json:"in_force" doc:"the smallest of the value and the caps"`
	Value     Value     `json:"value" doc:"what a person has set"`
	Ceiling   Value     `json:"ceiling" doc:"no value may pass it"`
	Source    string    `json:"source" doc:"code, page, file, command, expiry"`
	By        string    `json:"by,omitempty"`
	Why       string    `json:"why,omitempty"`
	When      time.Time `json:"when,omitzero"`
	Expires   time.Time `json:"expires,omitzero" doc:"when the value before comes back"`
	Review    time.Time `json:"review,omitzero" doc:"when somebody should look at it again"`
	Caps      []Cap     `json:"caps" doc:"bounds that machines have put on it"`
}

// A Cap is a bound that a machine has put on a limit.
type Cap struct {
	Name  string    `json:"name"`
	Value Value     `json:"value"`
	Since time.Time `json:"since"`
	Why   string    `json:"why,omitempty"`
}

// A LimitList is what bounds a supervisor: its limits, those of its gates included, and what is fixed in code.
type LimitList struct {
	Path     string  `json:"path"`
	Kind     string  `json:"kind" doc:"supervisor, dynamic_supervisor or keyed_supervisor"`
	Queue    int     `json:"queue" doc:"how many starts may wait"`
	MaxBytes int64   `json:"max_bytes" doc:"the budget of what children charge; 0 is none"`
	Limits   []Limit `json:"limits"`
}

// AllLimits are the limits of several supervisors.
type AllLimits struct {
	Supervisors []LimitList `json:"supervisors" doc:"each before those below it"`
}

// A LimitChange asks for a change of a limit.
type LimitChange struct {
	Path     string    `json:"path" doc:"the supervisor"`
	Limit    string    `json:"limit" doc:"the name of the limit"`
	Value    *Value    `json:"value" doc:"the new value"`
	Expected *Value    `json:"expected,omitempty" doc:"the value that is there now; another one is a conflict, and nothing is changed"`
	Why      string    `json:"why,omitempty" doc:"the reason; at most 500 bytes"`
	By       string    `json:"by,omitempty" doc:"who; only where there is no authentication, which knows better"`
	Source   string    `json:"source,omitempty" doc:"page, command or api, which is the default"`
	Expires  time.Time `json:"expires,omitzero" doc:"when the value before comes back"`
	Review   time.Time `json:"review,omitzero" doc:"when somebody should look at it again"`
}

// A Preview is what a change of a limit would do.
type Preview struct {
	Path      string   `json:"path"`
	Limit     string   `json:"limit"`
	From      Value    `json:"from"`
	To        Value    `json:"to"`
	InForce   Value    `json:"in_force" doc:"what would hold"`
	Children  int      `json:"children" doc:"what there is under the limit now; -1 where that is not counted"`
	Above     int      `json:"above" doc:"how many of these are above the new limit; they go on"`
	KeysAbove int      `json:"keys_above" doc:"of max_per_key: how many of the thousand keys that hold most are above it"`
	Effects   []string `json:"effects" doc:"what would happen, in sentences"`
	Allowed   bool     `json:"allowed" doc:"whether the program allows changes here"`
}

// Overdue reports whether the limit was to be looked at again before now.
func (l Limit) Overdue(now time.Time) bool { return !l.Review.IsZero() && !now.Before(l.Review) }

// Where is where the value comes from: who has set it, or else what.
func (l Limit) Where() string { return cmp.Or(l.By, l.Source) }
