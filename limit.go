package headcount

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"
)

// A Limit is one limit of a supervisor: a value that a person sets, and named caps that machines set. The smallest of
// them is in force. It may be used from many goroutines; no method blocks for long.
//
// Lowering a limit ends no child: new starts are refused until enough children have ended. Raising it admits starts
// that wait.
type Limit struct {
	name    string // max_children, max_per_key, max_descendants
	inCode  int
	ceiling int
	node    *node
	enforce func(inForce int) (release func()) // puts it in force; release is called without the lock

	mu struct {
		sync.Mutex
		setting Setting
		lasting Setting   // what an expiring setting gives way to at the end
		earlier []Setting // what it gives way to before: each expires after all behind it
		expiry  *time.Timer
		caps    map[string]Cap
		changes map[string]uint64 // by source
	}
}

// maxCaps bounds the caps of one limit. Caps are set by controllers, each under its own name.
const maxCaps = 64

// maxSources bounds by how many sources the changes of a limit are told apart: sources may come from outside. What comes
// from others is counted under otherSource, what names none under noSource.
const (
	maxSources  = 16
	otherSource = "other"
	noSource    = "unknown"
)

// maxEarlier bounds how many expiring settings are remembered below the one in place. Past it the one that would come back
// last is forgotten.
const maxEarlier = 8

// A Change says who sets a limit and why. All fields are optional.
type Change struct {
	Source  string    // where it comes from: code, page, file, command
	By      string    // who
	Why     string    // the reason
	Expires time.Time // when the value before comes back, of those that have not expired by then; zero: never
	Review  time.Time // when somebody should look at it again; zero: never
}

// A Setting is the value that a person gave a limit, and how it came about.
type Setting struct {
	Value int
	Change
	When time.Time // when it was set; zero for the value written in code
}

// A Cap is a bound that a machine has put on a limit. It can only lower what is in force.
type Cap struct {
	Name  string
	Value int
	Since time.Time
	Why   string
}

// A LimitSnapshot is a limit at one moment.
type LimitSnapshot struct {
	Name    string // max_children, max_per_key, max_descendants
	InForce int    // the smallest of the setting and the caps; [Unlimited] if none bounds it
	Setting Setting
	InCode  int   // what it was set to where it was written
	Ceiling int   // no setting may pass it
	Caps    []Cap // by name
	// Changes is how often the limit was changed, by [Change].Source; "cap" and "expiry" are Headcount's own. It is nil
	// if it never was. Sources beyond the first sixteen are counted as "other", changes without one as "unknown".
	Changes map[string]uint64
}

// A LimitOption qualifies a limit where it is written in code.
type LimitOption func(*limitSpec)

// Ceiling bounds what a person may set the limit to while the program runs. Without it, the ceiling is [MaxLimit], or
// [Unlimited] if the limit in code is.
func Ceiling(n int) LimitOption { return func(s *limitSpec) { s.ceiling, s.hasCeiling = n, true } }

// limitSpec is a limit as written in code.
type limitSpec struct {
	value      int
	ceiling    int
	hasCeiling bool
	given      bool
}

func newLimitSpec(n int, opts []LimitOption) limitSpec {
	s := limitSpec{value: n, ceiling: MaxLimit, given: true}
	if n == Unlimited {
		s.ceiling = Unlimited
	}
	for _, o := range opts {
		if o != nil {
			o(&s)
		}
	}
	return s
}

func (s limitSpec) problem() string {
	switch {
	case s.value < 0:
		return "is negative; zero admits nothing, headcount.Unlimited admits any number"
	case s.value > MaxLimit && s.value != Unlimited:
		return fmt.Sprintf("is above %d", MaxLimit)
	case s.hasCeiling && s.ceiling < 0:
		return fmt.Sprintf("has the negative ceiling %d", s.ceiling)
	case s.value > s.ceiling:
		return fmt.Sprintf("is above its ceiling %d", s.ceiling)
	}
	return ""
}

func newLimit(name string, s limitSpec, n *node, enforce func(int) func()) *Limit {
	l := &Limit{name: name, inCode: s.value, ceiling: s.ceiling, node: n, enforce: enforce}
	l.mu.setting = Setting{Value: s.value, Change: Change{Source: "code"}}
	l.mu.lasting = l.mu.setting
	enforce(s.value)
	return l
}

// Value gives the limit in force: the smallest of what was set and of the caps.
func (l *Limit) Value() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.inForceLocked()
}

func (l *Limit) inForceLocked() int {
	n := l.mu.setting.Value
	for _, c := range l.mu.caps {
		n = min(n, c.Value)
	}
	return n
}

// Set gives the limit a new value. When it returns nil, the value is in force, unless a cap is lower: then it is noted
// and comes into force when the cap is lifted. The last writer wins. The error names what is wrong with the value: it
// is negative, or above the ceiling, or expires in the past; the limit is then unchanged.
func (l *Limit) Set(n int, c Change) error {
	spec := limitSpec{value: n, ceiling: l.ceiling, hasCeiling: true}
	if p := spec.problem(); p != "" {
		return l.problem("value", n, p)
	}
	now := time.Now()
	if !c.Expires.IsZero() && !c.Expires.After(now) {
		return l.problem("Change.Expires", c.Expires, "lies in the past")
	}
	setting := Setting{Value: n, Change: c, When: now}

	l.mu.Lock()
	before := l.mu.setting
	if c.Expires.IsZero() {
		l.mu.lasting, l.mu.earlier = setting, nil
	} else {
		if !before.Expires.IsZero() {
			l.mu.earlier = append(l.mu.earlier, before)
		}
		l.mu.earlier = slices.DeleteFunc(l.mu.earlier, func(s Setting) bool { return !s.Expires.After(c.Expires) })
		if len(l.mu.earlier) > maxEarlier {
			l.mu.earlier = slices.Delete(l.mu.earlier, 0, 1)
		}
	}
	l.placeLocked(setting)
	l.changeLocked(before.Value, n, c)
	return nil
}

// placeLocked makes it the setting in place, until it expires.
func (l *Limit) placeLocked(s Setting) {
	l.mu.setting = s
	if l.mu.expiry != nil {
		l.mu.expiry.Stop()
		l.mu.expiry = nil
	}
	if !s.Expires.IsZero() {
		var timer *time.Timer
		timer = time.AfterFunc(time.Until(s.Expires), func() { l.expire(&timer) })
		l.mu.expiry = timer
	}
}

// expire puts back the setting before, if the setting that the timer belongs to is still in place. The timer is read
// under the lock, where it was set.
func (l *Limit) expire(timer **time.Timer) {
	l.mu.Lock()
	if l.mu.expiry == nil || l.mu.expiry != *timer {
		l.mu.Unlock()
		return
	}
	from, back := l.mu.setting, l.mu.lasting
	if n := len(l.mu.earlier); n > 0 {
		back, l.mu.earlier = l.mu.earlier[n-1], l.mu.earlier[:n-1]
	}
	l.placeLocked(back) // one that has expired meanwhile gives way at once
	l.changeLocked(from.Value, l.mu.setting.Value, Change{Source: "expiry", By: from.By, Why: "the setting before it comes back: " + from.Why})
}

// Cap puts a cap of this name on the limit, or changes the one there is. When it returns nil the cap is in force.
// The value must not be negative, the name not empty, and at most 64 caps may stand at once.
func (l *Limit) Cap(name string, n int, why string) error {
	if name == "" {
		return l.problem("cap name", name, "is empty")
	}
	if p := (limitSpec{value: n, ceiling: Unlimited}).problem(); p != "" {
		return l.problem("cap "+name, n, p)
	}
	l.mu.Lock()
	old, exists := l.mu.caps[name]
	if !exists && len(l.mu.caps) >= maxCaps {
		l.mu.Unlock()
		return l.problem("cap "+name, n, fmt.Sprintf("is one too many: %d caps stand already", maxCaps))
	}
	from := l.inForceLocked()
	c := Cap{Name: name, Value: n, Since: time.Now(), Why: why}
	if exists {
		c.Since = old.Since
	}
	if l.mu.caps == nil {
		l.mu.caps = make(map[string]Cap)
	}
	l.mu.caps[name] = c
	if exists && old.Value == n {
		l.mu.Unlock()
		return nil
	}
	l.changeLocked(from, l.inForceLocked(), Change{Source: "cap", By: name, Why: why})
	return nil
}

// Uncap lifts the cap of this name. Without such a cap it does nothing.
func (l *Limit) Uncap(name string) {
	l.mu.Lock()
	if _, ok := l.mu.caps[name]; !ok {
		l.mu.Unlock()
		return
	}
	from := l.inForceLocked()
	delete(l.mu.caps, name)
	l.changeLocked(from, l.inForceLocked(), Change{Source: "cap", By: name, Why: "lifted"})
}

// changeLocked puts what holds now in force, unlocks, and tells.
func (l *Limit) changeLocked(from, to int, c Change) {
	inForce := l.inForceLocked()
	l.countLocked(c.Source)
	release := l.enforce(inForce)
	l.mu.Unlock()
	if release != nil {
		release()
	}
	l.node.emit(LimitChanged{
		Path: l.node.Path(), Time: time.Now(), Limit: l.name, From: from, To: to, InForce: inForce,
		Source: c.Source, By: c.By, Why: c.Why,
	})
}

func (l *Limit) countLocked(source string) {
	source = oneLine(source, maxWord)
	if source == "" {
		source = noSource
	}
	if _, known := l.mu.changes[source]; !known && len(l.mu.changes) >= maxSources {
		source = otherSource
	}
	if l.mu.changes == nil {
		l.mu.changes = make(map[string]uint64)
	}
	l.mu.changes[source]++
}

// Snapshot gives all there is to know of the limit.
func (l *Limit) Snapshot() LimitSnapshot {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := LimitSnapshot{
		Name: l.name, InForce: l.inForceLocked(), Setting: l.mu.setting, InCode: l.inCode, Ceiling: l.ceiling,
		Changes: maps.Clone(l.mu.changes),
	}
	for _, c := range l.mu.caps {
		s.Caps = append(s.Caps, c)
	}
	slices.SortFunc(s.Caps, func(a, b Cap) int { return cmp.Compare(a.Name, b.Name) })
	return s
}

func (l *Limit) problem(field string, value any, problem string) error {
	return &ConfigError{Path: l.node.Path(), Field: l.name + " " + field, Value: value, Problem: problem}
}
