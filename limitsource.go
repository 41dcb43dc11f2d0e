package headcount

import (
	"cmp"
	"maps"
	"slices"
	"time"
)

// A LimitSource is where limits of a tree come from, many at once, such as a file.
type LimitSource struct {
	Name    string
	Set     uint64 // times that its limits were set
	Refused uint64 // times that they were refused
	Err     error  // why they were the last time; nil if they were not
}

// ReportLimits tells a tree what has become of the limits that a source had for it: err is nil if they were set, else it
// says what is wrong and none was. It is for who reads limits from somewhere, as package limitfile does. n shows it as one
// of its LimitSources, and a refusal is an event, [LimitsRefused]. Sources are told apart by their name, up to 16 of
// them.
func ReportLimits(n Node, source string, err error) {
	if isNil(n) {
		return
	}
	node := n.base()
	source = oneLine(source, maxWord)
	node.noteLimits(source, err)
	if err != nil {
		node.emit(LimitsRefused{Path: node.Path(), Time: time.Now(), Source: source, Err: err})
	}
}

func (n *node) noteLimits(source string, err error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	s := n.mu.limitSources[source]
	if s == nil {
		if len(n.mu.limitSources) >= maxSources {
			return
		}
		s = &LimitSource{Name: source}
		if n.mu.limitSources == nil {
			n.mu.limitSources = make(map[string]*LimitSource)
		}
		n.mu.limitSources[source] = s
	}
	s.Err = err
	if err != nil {
		s.Refused++
	} else {
		s.Set++
	}
}

// limitSources gives the sources in the order of their names.
func (n *node) limitSources() []LimitSource {
	n.mu.Lock()
	defer n.mu.Unlock()
	var all []LimitSource
	for s := range maps.Values(n.mu.limitSources) {
		all = append(all, *s)
	}
	slices.SortFunc(all, func(a, b LimitSource) int { return cmp.Compare(a.Name, b.Name) })
	return all
}
