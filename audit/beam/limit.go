package beam

import (
	"fmt"
	"strings"

	"github.com/headcount-go/headcount/audit/internal/elixir"
	"github.com/headcount-go/headcount/audit/report"
)

// finish reads from its options what the report says of a supervisor.
func (sup *supervisor) finish(inv *inventory) {
	if sup.kind.isStatic() && sup.strategy() == "simple_one_for_one" {
		sup.kind = dynamicKind
	}
	if p := inv.partitioned[sup.module]; p != nil && sup.module != "" {
		sup.parts = p
	}
	sup.name = sup.registered(inv)
	sup.limit = sup.bound()
	if sup.parts != nil {
		sup.limit = sup.parts.multiply(sup.limit)
	}
}

func (sup *supervisor) strategy() string {
	v, ok := sup.options.get("strategy")
	switch {
	case ok:
		if s := v.scalar(); s.kind == atom {
			return s.text
		}
		return ""
	case sup.options.open || sup.kind.isStatic() && sup.kind.name != "PartitionSupervisor":
		return ""
	}
	return "one_for_one"
}

// registered is the name under which the supervisor is called.
func (sup *supervisor) registered(inv *inventory) string {
	if sup.parts != nil && sup.parts.name != "" {
		return sup.parts.name
	}
	if v, ok := sup.options.get("name"); ok {
		if n := v.name(); n != "" {
			return n
		}
	}
	if sup.module == "" {
		return ""
	}
	return inv.registeredModule(sup.module)
}

// registeredModule is the name that a module's start_link registers: name: in the last argument; else the module's own.
func (inv *inventory) registeredModule(name string) string {
	found, ok := inv.registered[name]
	if ok {
		return found
	}
	found = name
	if m := inv.p.modules[name]; m != nil {
		for _, c := range m.clauses {
			if n := inv.registeredIn(c); n != "" {
				found = n
				break
			}
		}
	}
	inv.registered[name] = found
	return found
}

// registeredIn is the name in Kind.start_link(__MODULE__, arg, name: name) of a start function; "" where there is none.
func (inv *inventory) registeredIn(c *clause) string {
	if !strings.HasPrefix(c.name, "start") {
		return ""
	}
	s, found := inv.scopeOf(c), ""
	eachCall(c.code, func(call *elixir.Call) {
		_, isKind := kinds[strings.TrimSuffix(s.target(call), ".start_link")]
		if isKind && len(call.Args) == 3 && s.moduleName(call.Args[0]) == c.mod.name {
			if v, ok := (term{call.Args[2], s}).options().get("name"); ok {
				found = v.name()
			}
		}
	})
	return found
}

// name is how a process is called: a module's or an atom's name, or what is written.
func (t term) name() string {
	s := t.scalar()
	if s.kind == expression && strings.Contains(s.text, "...") {
		return "" // made while it runs
	}
	switch {
	case s.text == "nil":
		return ""
	case s.kind == atom && !isModuleName(s.text):
		return ":" + s.text
	}
	return s.text
}

// isModuleName tells MyApp.Rooms from :rooms.
func isModuleName(s string) bool { return s != "" && 'A' <= s[0] && s[0] <= 'Z' }

// bound is the limit that the options give.
func (sup *supervisor) bound() report.Limit {
	switch {
	case sup.kind.isStatic():
		return report.Limit{State: report.NotApplicable}
	case sup.kind == dynamicKind:
		return report.Limit{State: report.Unlimited, Text: "simple_one_for_one has none"}
	case sup.kind.limit == "max_demand":
		return sup.demand()
	}
	v, ok := sup.options.get(sup.kind.limit)
	switch {
	case ok:
		return v.limit()
	case sup.options.open:
		return report.Limit{}
	}
	return report.Limit{State: report.Unlimited, Text: "by default"}
}

func (t term) limit() report.Limit {
	s := t.scalar()
	switch s.kind {
	case number:
		return report.Limit{State: report.Set, Value: s.n, Text: s.text}
	case expression:
		return report.Limit{State: report.Expression, Text: s.text}
	case atom:
		if s.text == "infinity" {
			return report.Limit{State: report.Unlimited, Text: ":infinity"}
		}
	}
	return report.Limit{}
}

// defaultDemand is the max_demand of a subscription in GenStage that names none.
const defaultDemand = 1000

// demand adds up what a ConsumerSupervisor asks its producers for: as many children may run.
func (sup *supervisor) demand() report.Limit {
	to, ok := sup.options.get("subscribe_to")
	if !ok {
		return report.Limit{} // it subscribes while it runs
	}
	to = to.follow()
	list, ok := to.node.(*elixir.List)
	if !ok {
		return report.Limit{}
	}
	sum, chosen := int64(0), false
	var texts []string
	for _, e := range list.Elems {
		s := scalar{number, defaultDemand, "1000 by default"}
		if _, opts, ok := producer(e); ok {
			if v, ok := (term{opts, to.in}).options().get("max_demand"); ok {
				s, chosen = v.scalar(), true
			}
		}
		if s.kind != number {
			return term{e, to.in}.demandOf(s)
		}
		sum += s.n
		texts = append(texts, s.text)
	}
	if !chosen {
		return report.Limit{State: report.Set, Value: sum, Text: fmt.Sprintf("%d by default", sum)}
	}
	return report.Limit{State: report.Set, Value: sum, Text: strings.Join(texts, " + ")}
}

func (t term) demandOf(s scalar) report.Limit {
	if s.kind == expression {
		return report.Limit{State: report.Expression, Text: s.text}
	}
	return report.Limit{}
}

// producer reads one subscription: {Producer, options}, {{Mod, name}, options}.
func producer(n elixir.Node) (elixir.Node, elixir.Node, bool) {
	switch n := n.(type) {
	case *elixir.Tuple:
		if len(n.Elems) == 2 {
			return n.Elems[0], n.Elems[1], true
		}
	case *elixir.Pair: // producer: options
		return n.Key, n.Value, true
	}
	return n, nil, false
}
