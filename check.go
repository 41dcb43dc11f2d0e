package headcount

import (
	"errors"
	"fmt"
	"reflect"
)

// Check validates a whole tree and starts nothing. It returns all problems, each a [ConfigError] that names the path,
// the field and the value. What is wrong with a root alone, a [Reserve], is told by its start: n may be meant to be
// placed below another supervisor.
func Check(n Node) error {
	if isNil(n) {
		return &ConfigError{Path: "(root)", Field: "node", Value: nil, Problem: "is nil"}
	}
	if n.base().body == nil {
		return errZeroSupervisor
	}
	return check(n.base())
}

// isNil finds nil pointers in interfaces too.
func isNil(v any) bool {
	r := reflect.ValueOf(v)
	return !r.IsValid() || r.Kind() == reflect.Pointer && r.IsNil()
}

func check(n *node) error { return errors.Join(problems(n)...) }

func problems(n *node) []error {
	v := &validation{seen: make(map[*node]string)}
	v.visit(n, n.Path(), n.parent())
	return v.problems
}

// checkRoot is check for a tree that is about to be started.
func checkRoot(n *node) error {
	found := problems(n)
	if n.reserve != nil {
		found = append(found, &ConfigError{
			Path: n.name, Field: "Reserve", Value: int(n.reserve.size),
			Problem: "has no effect: the supervisor is started as a root, and there is no limit above it to reserve slots of",
		})
	}
	return errors.Join(found...)
}

// A validation walks a tree that may not have been put together yet.
type validation struct {
	seen     map[*node]string // where each supervisor was met
	path     string           // of the node that is visited
	problems []error
}

func (v *validation) add(field string, value any, problem string) {
	v.problems = append(v.problems, &ConfigError{Path: v.path, Field: field, Value: value, Problem: problem})
}

// joined adds an error, or each of those that it joins.
func (v *validation) joined(err error) {
	if err == nil {
		return
	}
	if many, ok := err.(interface{ Unwrap() []error }); ok {
		for _, e := range many.Unwrap() {
			v.joined(e)
		}
		return
	}
	if c, ok := err.(*ConfigError); ok && c.Path == "" {
		at := *c
		at.Path = v.path
		err = &at
	}
	v.problems = append(v.problems, err)
}

func (v *validation) visit(n *node, path string, parent *node) {
	if first, met := v.seen[n]; met {
		v.problems = append(v.problems, &ConfigError{
			Path: path, Field: "parent", Value: parentName(parent),
			Problem: fmt.Sprintf("is one too many: the supervisor is in the tree already, as %s", first),
		})
		return
	}
	if n.parent() != parent && n.taken(parent) {
		v.problems = append(v.problems, &ConfigError{
			Path: path, Field: "parent", Value: parentName(parent),
			Problem: fmt.Sprintf("is one too many: the supervisor has a place in a tree already, as %s", n.Path()),
		})
		return
	}
	v.seen[n] = path
	outer := v.path
	v.path = path
	for _, p := range n.problems {
		var c *ConfigError
		if errors.As(p, &c) {
			at := *c
			at.Path = path
			p = &at
		}
		v.problems = append(v.problems, p)
	}
	n.body.check(v)
	v.path = outer
}

// checkedPath is the path of a child whose name may not be fit to be shown.
func checkedPath(parent, name string) string {
	if nameProblem(name) != "" {
		name = shownKey(name)
	}
	return joinPath(parent, name)
}

// child checks a child of the node that is visited.
func (v *validation) child(spec ChildSpec, parent *node) {
	v.problems = append(v.problems, spec.problems(v.path, true)...)
	if spec.sup != nil {
		v.supervisor(spec, parent)
	}
}

// supervisor checks a child that is a supervisor.
func (v *validation) supervisor(spec ChildSpec, parent *node) {
	if spec.Name != spec.sup.name {
		v.add("ChildSpec.Name", spec.Name, "is not the supervisor's own, which is "+spec.sup.name+": a supervisor has one name")
	}
	v.visit(spec.sup, checkedPath(v.path, spec.Name), parent)
}

func (n *node) taken(parent *node) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.takenLocked(parent)
}
