package observe

import (
	"slices"
	"sync"
	"time"

	"github.com/headcount-go/headcount"
)

// An entry of the audit log is one change, made here or elsewhere.
type entry struct {
	ID       uint64     `json:"id,string" doc:"rises with each entry"`
	Time     time.Time  `json:"time"`
	Action   string     `json:"action" doc:"limit, undo, terminate_child or terminate_key"`
	Path     string     `json:"path" doc:"the supervisor"`
	Limit    string     `json:"limit,omitempty" doc:"the name of the limit"`
	From     limitValue `json:"from" doc:"of a limit: the value before"`
	To       limitValue `json:"to"`
	InForce  limitValue `json:"in_force" doc:"of a limit: what held afterwards"`
	Child    string     `json:"child,omitempty" doc:"the id or name of the child that was terminated"`
	Key      string     `json:"key,omitempty" doc:"the key whose children were terminated"`
	Outcome  string     `json:"outcome" doc:"what came of it"`
	Source   string     `json:"source" doc:"page, api, command; or what another part of the program says"`
	By       string     `json:"by" doc:"who"`
	Verified bool       `json:"verified" doc:"whether who it was is known by authentication"`
	Why      string     `json:"why"`
	Expires  time.Time  `json:"expires,omitzero"`
	Review   time.Time  `json:"review,omitzero"`
	Undo     bool       `json:"undo" doc:"whether it can be undone: it was made here, and not undone yet"`

	before, after headcount.Setting
}

const keptEntries = 1000

// An auditLog keeps the last thousand changes.
type auditLog struct {
	mu      sync.Mutex
	entries []entry
	last    uint64
}

func newAuditLog() *auditLog { return &auditLog{} }

func (a *auditLog) add(e entry) entry {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.last++
	e.ID = a.last
	if e.Time.IsZero() {
		e.Time = time.Now()
	}
	a.entries = append(a.entries, e)
	if len(a.entries) >= 2*keptEntries {
		a.entries = slices.Clone(a.entries[len(a.entries)-keptEntries:])
	}
	return e
}

// ownSources are those of changes that are made here: they are written down when they are made, not when they are heard of.
var ownSources = []string{"page", "api", "command"}

// overheard notes a change that another part of the program has made. Those of machines are not noted: a cap may change every
// second, and would push out what people have done. The events have them.
func (a *auditLog) overheard(c headcount.LimitChanged) {
	if c.Source == "cap" || slices.Contains(ownSources, c.Source) {
		return
	}
	a.add(entry{
		Time: c.Time, Action: "limit", Path: c.Path, Limit: c.Limit, From: limitValue(c.From), To: limitValue(c.To), InForce: limitValue(c.InForce),
		Outcome: "changed", Source: cutText(c.Source, maxName), By: cutText(c.By, maxName), Why: cutText(c.Why, maxWhy),
	})
}

// page gives up to n entries from before an id, the newest first; those of a path and below it, if one is given. before 0
// begins.
func (a *auditLog) page(path string, before uint64, n int) (entries []entry, next uint64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	entries = []entry{}
	for _, e := range slices.Backward(a.entries[max(0, len(a.entries)-keptEntries):]) {
		if before != 0 && e.ID >= before || path != "" && e.Path != path && !below(e.Path, path) {
			continue
		}
		if len(entries) == n {
			return entries, entries[n-1].ID
		}
		entries = append(entries, e)
	}
	return entries, 0
}

func (a *auditLog) find(id uint64) (entry, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, e := range slices.Backward(a.entries) {
		if e.ID == id {
			return e, true
		}
	}
	return entry{}, false
}

// undone notes that an entry has been undone.
func (a *auditLog) undone(id uint64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for i := range a.entries {
		if a.entries[i].ID == id {
			a.entries[i].Undo = false
		}
	}
}
