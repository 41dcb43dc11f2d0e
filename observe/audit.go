package observe

import (
	"slices"
	"sync"
	"time"

	"github.com/headcount-go/headcount"
	"github.com/headcount-go/headcount/internal/plain"
	"github.com/headcount-go/headcount/observe/wire"
)

const keptEntries = 1000

// An auditLog keeps the last thousand changes.
type auditLog struct {
	mu      sync.Mutex
	entries []recorded
	last    uint64
	own     map[changed]int // made here and not heard of yet
}

// recorded is an entry with the settings that it has replaced and made, to undo it by.
type recorded struct {
	wire.Entry
	before, after headcount.Setting
}

// changed is what a change made here is known by when it is heard of.
type changed struct {
	path, limit, source, by, why string
	to                           wire.Value
}

// maxOwn bounds what is waited for: an event may have been dropped.
const maxOwn = 100

func newAuditLog() *auditLog { return &auditLog{own: make(map[changed]int)} }

// expect notes a change that is about to be made here, so that it is not taken for another's when it is heard of.
func (a *auditLog) expect(c changed) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.own) >= maxOwn {
		clear(a.own)
	}
	a.own[c]++
}

// heard reports whether a change is one that was made here. It is for each of these once.
func (a *auditLog) heard(c changed) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.own[c] == 0 {
		return false
	}
	if a.own[c]--; a.own[c] == 0 {
		delete(a.own, c)
	}
	return true
}

func changeOf(e *wire.Entry) changed { return changed{e.Path, e.Limit, e.Source, e.By, e.Why, e.To} }

func (a *auditLog) add(e recorded) wire.Entry {
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
	return e.Entry
}

// ownSources are those that changes made here have.
var ownSources = []string{"page", "api", "command"}

// overheard notes a change that another part of the program has made; those made here are noted when they are made. Those of
// machines are not noted: a cap may change every second, and would push out what people have done. The events have them.
func (a *auditLog) overheard(c headcount.LimitChanged) {
	if c.Source == "cap" || a.heard(changed{c.Path, c.Limit, c.Source, c.By, c.Why, wire.Value(c.To)}) {
		return
	}
	a.add(recorded{Entry: wire.Entry{
		Time: c.Time, Action: "limit", Path: c.Path, Limit: c.Limit, From: wire.Value(c.From), To: wire.Value(c.To), InForce: wire.Value(c.InForce),
		Outcome: "changed", Source: plain.Cut(c.Source, maxName), By: plain.Cut(c.By, maxName), Why: plain.Cut(c.Why, maxWhy),
	}})
}

// page gives up to n entries from before an id, the newest first; those of a path and below it, if one is given. before 0
// begins.
func (a *auditLog) page(path string, before uint64, n int) (entries []wire.Entry, next uint64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	entries = []wire.Entry{}
	for _, e := range slices.Backward(a.entries[max(0, len(a.entries)-keptEntries):]) {
		if before != 0 && e.ID >= before || path != "" && e.Path != path && !below(e.Path, path) {
			continue
		}
		if len(entries) == n {
			return entries, entries[n-1].ID
		}
		entries = append(entries, e.Entry)
	}
	return entries, 0
}

func (a *auditLog) find(id uint64) (recorded, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, e := range slices.Backward(a.entries) {
		if e.ID == id {
			return e, true
		}
	}
	return recorded{}, false
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
