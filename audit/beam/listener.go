package beam

import (
	"fmt"
	"strings"

	"github.com/headcount-go/headcount/audit/internal/elixir"
	"github.com/headcount-go/headcount/audit/report"
)

// A library is one that listens for connections, and how it bounds them.
type library struct {
	name        string
	connections string // the option
	byDefault   int64
	// acceptors is the option for the number of acceptors where the limit holds for each of them; "" otherwise.
	acceptors        string
	defaultAcceptors int64
	// within are the options that hold the option, from the outside in.
	within []string
}

// Thousand Island counts the connections of each acceptor by itself. Ranch counts them in total in its versions 1, and for
// each of its supervisors of connections in its versions 2, softly in both: what is said of it is only the number.
var (
	thousandIsland = library{"ThousandIsland", "num_connections", 16_384, "num_acceptors", 100, nil}
	bandit         = library{"Bandit", "num_connections", 16_384, "num_acceptors", 100, []string{"thousand_island_options"}}
	ranch          = library{"Ranch", "max_connections", 1024, "", 0, nil}
	cowboy         = library{"Cowboy", "max_connections", 1024, "", 0, nil}
	plugCowboy     = library{"Plug.Cowboy", "max_connections", 16_384, "", 0, []string{"transport_options"}}
)

// A listener is one place that makes a listener.
type listener struct {
	library
	in      *scope
	at      elixir.Pos
	name    string
	options options
}

// listeners takes the listeners into the result and reports those without a limit of their own.
func (r *review) listeners() {
	seen := map[elixir.Node]bool{}
	r.inventory.eachScope(func(s *scope, n elixir.Node) {
		r.p.fuel = fuel
		elixir.Walk(n, func(n elixir.Node) bool {
			if l := s.listener(n); l != nil && !seen[n] {
				seen[n] = true
				r.listener(*l)
			}
			return true
		})
	})
	for _, m := range r.p.order {
		if r.p.roles(m)[endpoint] {
			r.endpoint(m)
		}
	}
}

// listener reads n as a listener: {Bandit, options}, a child spec, or a call.
func (s *scope) listener(n elixir.Node) *listener {
	switch n := n.(type) {
	case *elixir.Tuple:
		module, args, ok := s.startTuple(n)
		if !ok {
			return nil
		}
		return s.listenerOf(module, "start_link", n.Pos, args)
	case *elixir.Call:
		if n.Target != nil {
			return s.listenerOf(s.moduleName(n.Target), n.Name, n.Pos, n.Args)
		}
	}
	return nil
}

func (s *scope) listenerOf(module, function string, at elixir.Pos, args []elixir.Node) *listener {
	l := &listener{in: s, at: at, options: options{values: map[string]term{}}}
	options := func(i int) {
		if i >= 0 && i < len(args) {
			l.options = term{args[i], s}.options()
		}
	}
	starts := function == "start_link" || function == "child_spec"
	switch {
	case module == "Bandit" && starts:
		l.library = bandit
		options(0)
	case module == "ThousandIsland" && starts:
		l.library = thousandIsland
		options(0)
	case (module == "Plug.Cowboy" || module == "Plug.Adapters.Cowboy") && starts:
		l.library = plugCowboy
		options(0)
		l.within = []string{"options", "transport_options"}
	case (module == "Plug.Cowboy" || module == "Plug.Adapters.Cowboy") && (function == "http" || function == "https"):
		l.library = plugCowboy
		options(2)
	case module == ":cowboy" && (function == "start_clear" || function == "start_tls") && len(args) == 3:
		l.library = cowboy
		options(1)
	case module == ":ranch" && (function == "start_listener" || function == "child_spec") && len(args) == 5:
		l.library = ranch
		options(2)
	default:
		return nil
	}
	for _, key := range []string{"plug", "handler_module"} {
		if v, ok := l.options.get(key); ok {
			l.name = lastTupleName(v)
		}
	}
	return l
}

// lastTupleName is the module of plug: Module or plug: {Module, options}.
func lastTupleName(v term) string {
	v = v.follow()
	if t, ok := v.node.(*elixir.Tuple); ok && len(t.Elems) > 0 {
		v = term{t.Elems[0], v.in}
	}
	if v.node == nil {
		return ""
	}
	return v.name()
}

// endpoint reads the listeners of a Phoenix endpoint from the configuration.
func (r *review) endpoint(m *module) {
	r.p.fuel = fuel
	app := ""
	for _, u := range m.uses {
		if u.module == "Phoenix.Endpoint" {
			if v, ok := elixir.Lookup(u.arg, "otp_app"); ok {
				app = configKey(&scope{p: r.p, mod: m}, v)
			}
		}
	}
	config, ok := r.p.config.get(app, m.name)
	if !ok {
		return
	}
	o := config.options()
	lib := plugCowboy
	if adapter, ok := o.get("adapter"); ok && adapter.scalar().text == "Bandit.PhoenixAdapter" {
		lib = bandit
	}
	for _, scheme := range []string{"http", "https"} {
		v, ok := o.get(scheme)
		if !ok || v.node == nil {
			continue
		}
		if s := v.scalar(); s.kind == atom {
			continue // http: false
		}
		r.listener(listener{library: lib, in: v.in, at: v.node.Position(), name: m.name, options: v.options()})
	}
}

// inner is the options that hold the limit.
func (l listener) inner() options {
	o := l.options
	for _, key := range l.within {
		v, ok := o.get(key)
		switch {
		case ok:
			o = v.options()
		case o.open:
			return notKnown()
		default:
			return options{values: map[string]term{}}
		}
	}
	return o
}

func (r *review) listener(l listener) {
	o := l.inner()
	limit, chosen := l.bound(o)
	r.result.Supervisors = append(r.result.Supervisors, report.Supervisor{
		Position: l.in.mod.position(l.at), Language: "elixir", Kind: l.library.name + " listener", Name: l.name,
		Symbol: l.in.symbol(), Limit: limit, Criticality: report.External,
	})
	called := strings.TrimSpace(l.library.name + " listener " + l.name)
	f := report.Finding{Criticality: report.External, Remedy: l.remedy()}
	switch {
	case limit.State == report.Unlimited:
		f.Rule, f.Confidence = "HC210", report.High
		f.Message = fmt.Sprintf("%s takes connections without a limit: %s: :infinity", called, l.connections)
	case limit.State == report.Set && !chosen:
		f.Rule, f.Confidence = "HC211", report.Low
		f.Message = fmt.Sprintf("%s takes as many connections as the library's default allows: %s", called, limit.Text)
		if l.acceptors != "" {
			f.Confidence = report.Medium
		}
	default:
		return
	}
	r.add(l.in, l.at, f)
}

// bound is the limit in total where the library makes that certain, and whether anyone chose it.
func (l listener) bound(o options) (limit report.Limit, chosen bool) {
	v, chosen := o.get(l.connections)
	switch {
	case chosen:
		limit = v.limit()
	case o.open:
		return report.Limit{}, false
	default:
		limit = report.Limit{State: report.Set, Value: l.byDefault, Text: fmt.Sprintf("%d by default", l.byDefault)}
	}
	if l.acceptors == "" || limit.State != report.Set {
		return limit, chosen
	}
	acceptors := scalar{number, l.defaultAcceptors, ""}
	if v, ok := o.get(l.acceptors); ok {
		acceptors = v.scalar()
	} else if o.open {
		acceptors = scalar{}
	}
	if acceptors.kind != number {
		limit.State, limit.Value = report.Expression, 0
		limit.Text += " for each acceptor"
		return limit, chosen
	}
	limit.Value = product(limit.Value, acceptors.n)
	limit.Text += fmt.Sprintf(" for each of %d acceptors, %d in total", acceptors.n, limit.Value)
	return limit, chosen
}

func (l listener) remedy() string {
	code := l.connections + ": 10_000"
	if l.acceptors != "" {
		code = l.acceptors + ": 10, " + l.connections + ": 1_000"
	}
	for i := len(l.within) - 1; i >= 0; i-- {
		code = l.within[i] + ": [" + code + "]"
	}
	return code
}
