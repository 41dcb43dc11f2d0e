package limitfile

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/headcount-go/headcount"
)

// A place is a supervisor that entries can match.
type place struct {
	path   string
	names  []string
	nest   bool // supervisors may come and go below it
	limits []placeLimit
}

type placeLimit struct {
	name    string
	ceiling int
	value   int              // of its setting
	handle  *headcount.Limit // nil where there is only a description of a tree
}

// placesOf are the supervisors of a running tree.
func placesOf(root headcount.Node) (places []place) {
	for n := range root.All() {
		p := place{path: n.Path()}
		add := func(l *headcount.Limit) {
			s := l.Snapshot()
			p.limits = append(p.limits, placeLimit{s.Name, s.Ceiling, s.Setting.Value, l})
		}
		for _, l := range n.Limits() {
			add(l)
		}
		for _, g := range n.Gates() {
			add(g.Limit())
		}
		_, static := n.(*headcount.Supervisor)
		p.nest = !static
		p.names = strings.Split(p.path, "/")
		places = append(places, p)
	}
	return places
}

// placesIn are the supervisors of a tree that is described.
func placesIn(tree headcount.TreeNode) (places []place) {
	for n := range tree.All() {
		p := place{path: n.Path, names: strings.Split(n.Path, "/"), nest: n.Kind != headcount.SupervisorKind}
		for _, l := range n.Limits {
			p.limits = append(p.limits, placeLimit{l.Name, l.Ceiling, l.Setting.Value, nil})
		}
		for _, g := range n.Gates {
			p.limits = append(p.limits, placeLimit{g.Name, g.Ceiling, g.Setting.Value, nil})
		}
		places = append(places, p)
	}
	return places
}

// A target is a limit that an entry sets.
type target struct {
	path  string
	limit placeLimit
	entry *entry
}

// resolve finds what the entries mean in a tree. strict tells of what matches nothing; it is not for a few places of a
// tree that have come later.
func resolve(entries []entry, places []place, r *report, strict bool) (targets []target) {
	byPattern := make(map[string][]*entry)
	var order []string
	for i := range entries {
		e := &entries[i]
		if byPattern[e.pattern.text] == nil {
			order = append(order, e.pattern.text)
		}
		byPattern[e.pattern.text] = append(byPattern[e.pattern.text], e)
	}
	candidates := make([][]*entry, len(places)) // by place
	for _, text := range order {
		group := byPattern[text]
		p := &group[0].pattern
		known := make(map[string]bool) // limits of what is matched
		matched, later := false, false
		for i := range places {
			if p.matches(places[i].names) {
				matched = true
				candidates[i] = append(candidates[i], group...)
				for _, l := range places[i].limits {
					known[l.name] = true
				}
			} else if places[i].nest && p.above(places[i].names) {
				later = true
			}
		}
		switch {
		case !matched && !strict:
		case !matched && !later && p.literal:
			r.add(p.where, "there is no supervisor %s%s", shown(text), nearest(text, pathsOf(places)))
		case !matched && !later:
			r.add(p.where, "the pattern %s matches no supervisor", shown(text))
		case matched && (p.literal || strict && !later):
			for _, e := range group {
				if !known[e.limit] {
					names := slices.Sorted(maps.Keys(known))
					r.add(e.where, "%s has no limit %s%s (there are %s)", text, shown(e.limit), nearest(e.limit, names), strings.Join(names, ", "))
				}
			}
		}
	}
	for i := range places {
		targets = append(targets, choose(&places[i], candidates[i], r)...)
	}
	return targets
}

func pathsOf(places []place) (paths []string) {
	for _, p := range places {
		paths = append(paths, p.path)
	}
	return paths
}

// choose gives each limit of a place its most specific entry.
func choose(p *place, candidates []*entry, r *report) (targets []target) {
	for _, l := range p.limits {
		var best, rival *entry
		for _, e := range candidates {
			if e.limit != l.name {
				continue
			}
			switch {
			case best == nil:
				best = e
			default:
				c := e.pattern.compare(&best.pattern)
				if c > 0 {
					best, rival = e, nil
				} else if c == 0 {
					rival = e
				}
			}
		}
		switch {
		case best == nil:
		case rival != nil:
			r.add(rival.where, "%s of %s is given by the pattern %s too, in line %d, which is as specific: name the supervisor, or make one of them more specific",
				l.name, p.path, shown(best.pattern.text), best.where.line)
		case best.value > l.ceiling:
			r.add(best.valueAt, "%s %s is above the ceiling %d that the program sets at %s", l.name, limitText(best.value), l.ceiling, p.path)
		default:
			targets = append(targets, target{p.path, l, best})
		}
	}
	return targets
}

func limitText(n int) string {
	if n == headcount.Unlimited {
		return "unlimited"
	}
	return fmt.Sprint(n)
}
