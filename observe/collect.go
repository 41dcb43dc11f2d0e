package observe

import (
	"strings"

	"github.com/headcount-go/headcount"
)

// placed is a supervisor with its place in the tree.
type placed struct {
	*headcount.TreeNode
	parent string
	depth  int
}

// collect describes all supervisors below root, each before those below it: the declared ones in one go, and those that
// are children of dynamic supervisors one by one.
func collect(root headcount.Node) []placed {
	known := make(map[string]*headcount.TreeNode)
	var know func(t *headcount.TreeNode) // by pointer: a TreeNode is large
	know = func(t *headcount.TreeNode) {
		known[t.Path] = t
		for i := range t.Children {
			know(&t.Children[i])
		}
	}
	tree := root.Tree()
	know(&tree)
	all := make([]placed, 0, len(known))
	var above []string
	seen := make(map[string]bool, len(known))
	for n := range root.All() {
		path := n.Path()
		if seen[path] {
			continue // a dynamic supervisor may have several children of one name
		}
		seen[path] = true
		if known[path] == nil {
			nested := n.Tree()
			know(&nested)
		}
		t := known[path]
		if t == nil {
			continue // it has just got another place
		}
		for len(above) > 0 && !strings.HasPrefix(path, above[len(above)-1]+"/") {
			above = above[:len(above)-1]
		}
		p := placed{TreeNode: t, depth: len(above) + 1}
		if len(above) > 0 {
			p.parent = above[len(above)-1]
		}
		all = append(all, p)
		above = append(above, path)
	}
	return all
}
