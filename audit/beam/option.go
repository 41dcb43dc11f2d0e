package beam

import (
	"maps"
	"strings"

	"github.com/headcount-go/headcount/audit/internal/elixir"
)

// Options are keywords as far as they are known.
type options struct {
	values map[string]term
	// open says that there may be more, or others, than values.
	open bool
}

func (o options) get(key string) (term, bool) {
	v, ok := o.values[key]
	return v, ok
}

// over returns o with what is in over put over it.
func (o options) over(over options) options {
	values := maps.Clone(o.values)
	if over.open {
		// What is not known may replace any of these.
		for k := range values {
			values[k] = term{}
		}
	}
	maps.Copy(values, over.values)
	return options{values, o.open || over.open}
}

func notKnown() options { return options{map[string]term{}, true} }

// options reads t as keywords: a list, or an expression that gives one.
func (t term) options() options {
	t = t.follow()
	switch n := t.node.(type) {
	case *elixir.List:
		return t.listOptions(n)
	case *elixir.Map:
		o := options{values: map[string]term{}}
		if n.Update != nil {
			o = term{n.Update, t.in}.options()
			o.values = maps.Clone(o.values)
		}
		for _, e := range n.Elems {
			t.addPair(&o, e)
		}
		return o
	case *merged:
		o := options{values: map[string]term{}}
		for _, t := range n.terms {
			o = o.over(t.options())
		}
		return o
	case *elixir.Binop:
		switch n.Op {
		case "++":
			return term{n.Right, t.in}.options().over(term{n.Left, t.in}.options())
		case "||":
			return term{n.Left, t.in}.options()
		}
	case *elixir.Call:
		return t.in.callOptions(n)
	}
	return notKnown()
}

func (t term) listOptions(l *elixir.List) options {
	o := options{values: map[string]term{}}
	for _, e := range l.Elems {
		if b, ok := e.(*elixir.Binop); ok && b.Op == "|" {
			t.addPair(&o, b.Left)
			return term{b.Right, t.in}.options().over(o)
		}
		t.addPair(&o, e)
	}
	return o
}

// addPair adds key: value or {:key, value}. Of two with one key the first counts.
func (t term) addPair(o *options, e elixir.Node) {
	var key, value elixir.Node
	switch e := e.(type) {
	case *elixir.Pair:
		key, value = e.Key, e.Value
	case *elixir.Tuple:
		if len(e.Elems) == 2 {
			key, value = e.Elems[0], e.Elems[1]
		}
	}
	name := keyName(term{key, t.in})
	if name == "" {
		o.open = true
		return
	}
	if _, ok := o.values[name]; !ok {
		o.values[name] = term{value, t.in}
	}
}

// keyName is the key of an option: an atom's name or a module's.
func keyName(t term) string {
	if t.node == nil {
		return ""
	}
	if s, ok := t.node.(*elixir.String); ok {
		return s.Text
	}
	return configKey(t.in, t.node)
}

// callOptions follows the functions of Keyword, Map and Enum that give keywords from keywords.
func (s *scope) callOptions(c *elixir.Call) options {
	arg := func(i int) term {
		if i < len(c.Args) {
			return term{c.Args[i], s}
		}
		return term{}
	}
	name := s.target(c)
	module, function, _ := strings.Cut(name, ".")
	switch {
	case name == "if" || name == "unless" || name == "case" || name == "cond":
		return s.branches(c)
	case name == "Enum.into" || name == "Enum.to_list" || name == "Map.new" || name == "Map.to_list" || name == "Keyword.new":
		if len(c.Args) == 1 || name == "Enum.into" {
			return arg(0).options()
		}
	case module != "Keyword" && module != "Map":
		return notKnown()
	}
	switch function {
	case "merge":
		return arg(0).options().over(arg(1).options())
	case "validate!":
		return arg(1).options().over(arg(0).options())
	case "put", "replace", "put_new":
		key := keyName(arg(1).follow())
		o := arg(0).options()
		if key == "" {
			return notKnown()
		}
		if _, has := o.get(key); function == "put_new" && has {
			return o
		}
		return o.over(options{values: map[string]term{key: arg(2)}})
	case "delete", "drop", "take":
		return arg(0).options().only(function == "take", keys(arg(1)))
	}
	return notKnown()
}

func keys(t term) map[string]bool {
	t = t.follow()
	found := map[string]bool{}
	if l, ok := t.node.(*elixir.List); ok {
		for _, e := range l.Elems {
			found[keyName(term{e, t.in})] = true
		}
	} else if name := keyName(t); name != "" {
		found[name] = true
	}
	return found
}

// only keeps the keys, or drops them.
func (o options) only(keep bool, keys map[string]bool) options {
	values := maps.Clone(o.values)
	maps.DeleteFunc(values, func(k string, _ term) bool { return keys[k] != keep })
	return options{values, o.open}
}

// branches joins what the branches of if and case give: what they do not agree on is not known.
func (s *scope) branches(c *elixir.Call) options {
	var all []options
	add := func(b *elixir.Block) {
		if b != nil {
			all = append(all, term{b, s}.options())
		}
	}
	for _, section := range c.Sections {
		add(section.Body)
		for _, clause := range section.Clauses {
			add(clause.Body)
		}
	}
	for _, p := range elixir.Keywords(last(c.Args)) {
		all = append(all, term{p.Value, s}.options())
	}
	if len(all) == 0 {
		return notKnown()
	}
	joined := all[0]
	for _, o := range all[1:] {
		joined = joined.or(o)
	}
	if c.Name == "if" && len(all) == 1 {
		joined.open = true
	}
	return joined
}

func (o options) or(other options) options {
	values := map[string]term{}
	for k, v := range o.values {
		values[k] = v
		if w, ok := other.values[k]; !ok || v.scalar() != w.scalar() {
			values[k] = term{}
		}
	}
	for k := range other.values {
		if _, ok := values[k]; !ok {
			values[k] = term{}
		}
	}
	return options{values, o.open || other.open}
}
