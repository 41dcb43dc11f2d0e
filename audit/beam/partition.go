package beam

import (
	"fmt"
	"slices"
	"strings"

	"github.com/headcount-go/headcount/audit/internal/elixir"
	"github.com/headcount-go/headcount/audit/report"
)

// parts says over how many partitions a supervisor is multiplied.
type parts struct {
	name  string
	count scalar
}

// partitions finds PartitionSupervisors first, so that what they multiply is known when it is found.
func (inv *inventory) partitions(s *scope, n elixir.Node) {
	elixir.Walk(n, func(n elixir.Node) bool {
		var args []elixir.Node
		key := n
		switch n := n.(type) {
		case *elixir.Tuple:
			if module, given, ok := s.startTuple(n); ok && module == "PartitionSupervisor" {
				args = given
			}
		case *elixir.Call:
			args = s.partitionCall(n)
		case *elixir.Binop:
			if c := piped(n); c != nil {
				args, key = s.partitionCall(c), n.Right
			}
		}
		if len(args) > 0 && !inv.seen[key] {
			inv.partition(s, key, term{last(args), s}.options())
		}
		return true
	})
}

func (s *scope) partitionCall(c *elixir.Call) []elixir.Node {
	if t := s.target(c); t == "PartitionSupervisor.start_link" || t == "PartitionSupervisor.child_spec" {
		return c.Args
	}
	return nil
}

// partition takes in what one PartitionSupervisor multiplies. What it starts that is no dynamic supervisor is its own matter:
// there are as many as partitions.
func (inv *inventory) partition(s *scope, n elixir.Node, o options) {
	inv.p.fuel = fuel
	p := &parts{count: scalar{kind: expression, text: "System.schedulers_online()"}}
	if v, ok := o.get("partitions"); ok {
		p.count = v.scalar()
	} else if o.open {
		p.count = scalar{}
	}
	if v, ok := o.get("name"); ok {
		p.name = v.name()
	}
	spec, ok := o.get("child_spec")
	spec = spec.follow()
	if !ok || spec.node == nil {
		return
	}
	module, args := spec.in.childSpec(spec.node)
	switch k, ok := kinds[module]; {
	case ok && !k.isStatic():
		inv.seen[n] = true
		elixir.Walk(spec.node, func(n elixir.Node) bool { inv.seen[n] = true; return true })
		sup := inv.add(spec.in, k, spec.node, n.Position(), args)
		sup.parts, sup.in = p, s
	case inv.p.modules[module].isDynamic():
		inv.seen[n] = true
		inv.partitioned[module] = p
	}
}

// isDynamic reports whether a module is a supervisor of children that come and go.
func (m *module) isDynamic() bool {
	return m != nil && slices.ContainsFunc(m.uses, func(u use) bool {
		k, ok := kinds[u.module]
		return ok && !k.isStatic()
	})
}

// multiply is the limit over all partitions.
func (p *parts) multiply(l report.Limit) report.Limit {
	count := p.count.text
	if p.count.kind == unknown {
		count = "a number not known"
	}
	each := "in each of " + count + " partitions"
	switch {
	case l.State == report.Set && p.count.kind == number:
		l.Value = product(l.Value, p.count.n)
		l.Text = fmt.Sprintf("%s %s, %d in total", l.Text, each, l.Value)
	case l.State == report.Set:
		l.State, l.Value = report.Expression, 0
		l.Text += " " + each
	case l.State != report.LimitNotKnown:
		l.Text = strings.TrimSpace(l.Text + ", " + each)
	}
	return l
}
