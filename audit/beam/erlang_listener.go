package beam

import (
	"github.com/headcount-go/headcount/audit/internal/erlang"
	"github.com/headcount-go/headcount/audit/report"
)

// erlListeners are the calls that start a listener, by function and number of arguments, with the place of its options.
// Those that are told the number of acceptors by an argument are of Ranch 1, which counts in total.
var erlListeners = map[string]struct {
	kind    string
	options int
	total   bool
}{
	"ranch:start_listener/5": {"Ranch listener", 2, false}, "ranch:start_listener/6": {"Ranch listener", 3, true},
	"ranch:child_spec/5": {"Ranch listener", 2, false}, "ranch:child_spec/6": {"Ranch listener", 3, true},
	"cowboy:start_clear/3": {"Cowboy listener", 1, false}, "cowboy:start_tls/3": {"Cowboy listener", 1, false},
	"cowboy:start_clear/4": {"Cowboy listener", 2, true}, "cowboy:start_tls/4": {"Cowboy listener", 2, true},
	"cowboy:start_http/4": {"Cowboy listener", 2, true}, "cowboy:start_https/4": {"Cowboy listener", 2, true},
}

// ranchDefault is max_connections of Ranch where none is given. It is soft: each acceptor may take one more.
const ranchDefault = 1024

// listeners takes the listeners of Ranch and Cowboy into the inventory and reports those without a limit.
func (r *erlReview) listeners() {
	r.p.eachCall(func(s *erlScope, c *erlang.Call) {
		target := s.target(c)
		if target == "ranch:set_max_connections" && len(c.Args) == 2 && s.atom(c.Args[1]) == "infinity" {
			r.openListener(s, c, "ranch:set_max_connections takes the limit of "+s.listenerName(c)+" away", "ranch:set_max_connections("+s.listenerName(c)+", 10000)")
			return
		}
		l, ok := erlListeners[target+"/"+itoa(len(c.Args))]
		if !ok {
			return
		}
		r.p.fuel = fuel
		row := report.Supervisor{
			Position: s.mod.position(c.Pos), Language: "erlang", Kind: l.kind, Name: s.listenerName(c), Symbol: s.fn.symbol(),
			Criticality: report.External, Limit: erlTerm{c.Args[l.options], s}.connections(l.total),
		}
		r.result.Supervisors = append(r.result.Supervisors, row)
		if row.State == report.Unlimited {
			r.openListener(s, c, l.kind+" "+row.Name+" has max_connections infinity", "max_connections => 10000")
		}
	})
}

func (r *erlReview) openListener(s *erlScope, c *erlang.Call, message, remedy string) {
	r.add(s.fn, c.Pos, report.Finding{
		Rule: "HC242", Confidence: report.High, Criticality: report.External, Message: message, Remedy: remedy, Reach: []report.Step{s.fn.step()},
	})
}

func (s *erlScope) listenerName(c *erlang.Call) string {
	if name := s.atom(c.Args[0]); name != "" {
		return name
	}
	if v, ok := c.Args[0].(*erlang.Var); ok {
		return v.Name
	}
	return ""
}

// connections is the limit that transport options give.
func (t erlTerm) connections(total bool) report.Limit {
	// In Ranch 2 the limit holds for each supervisor of connections, and there are as many of them as acceptors unless said
	// otherwise. Which version is in use the source does not tell, but num_conns_sups is of version 2.
	each := "for each supervisor of connections in Ranch 2, in total in Ranch 1"
	if total {
		each = "in total"
	}
	sups, twoSure, _ := t.option("num_conns_sups")
	if twoSure {
		each = "for each supervisor of connections"
	}
	v, found, known := t.option("max_connections")
	l := report.Limit{State: report.Set, Value: ranchDefault}
	switch {
	case !found && !known:
		return report.Limit{}
	case !found:
		l.Text = itoa(ranchDefault) + " by default, " + each
	case v.in.atom(v.node) == "infinity":
		return report.Limit{State: report.Unlimited, Text: "infinity"}
	default:
		n, ok := v.number()
		if !ok {
			return report.Limit{}
		}
		l.Value, l.Text = n, itoa(int(n))+" "+each
	}
	if n, ok := sups.number(); ok && twoSure && n > 0 {
		l.Value = product(l.Value, n)
		l.Text += ", " + itoa(int(l.Value)) + " in total"
	}
	return l
}
