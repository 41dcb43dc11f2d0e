package rules

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"

	"github.com/headcount-go/headcount"
	"github.com/headcount-go/headcount/observe/wire"
)

// A Tree is what the rules need to know of a program: the fields of [headcount.TreeNode] that say what it has. The zero
// value stands for any program.
type Tree struct {
	Roots []string // paths
	Fixed []string // paths of the supervisors whose children are declared in code: their number does not grow by itself

	Queues, Subtrees, Gates, Budgets bool // whether any supervisor has them
}

// Any is the tree of nobody in particular, with everything that a tree can have.
var Any = Tree{Queues: true, Subtrees: true, Gates: true, Budgets: true}

// node is a headcount.TreeNode as encoding/json writes it. The names match in any case.
type node struct {
	Path        string
	Kind        headcount.Kind
	Queue       int
	Descendants *int // -1 without a limit on them
	Gates       []json.RawMessage
	Counts      struct{ MaxBytes int64 }
	Children    []node
}

// maxTree bounds what is read.
const maxTree = 256 << 20

// ReadTree reads one tree, as json.Marshal writes a [headcount.TreeNode], or a list of them.
func ReadTree(r io.Reader) (Tree, error) {
	raw, err := io.ReadAll(io.LimitReader(r, maxTree+1))
	switch {
	case err != nil:
		return Tree{}, fmt.Errorf("read the tree: %w", err)
	case len(raw) > maxTree:
		return Tree{}, fmt.Errorf("the tree is longer than %d MiB", maxTree>>20)
	}
	var roots []node
	if strings.HasPrefix(strings.TrimSpace(string(raw[:min(len(raw), 64)])), "[") {
		err = json.Unmarshal(raw, &roots)
	} else {
		roots = make([]node, 1)
		err = json.Unmarshal(raw, &roots[0])
	}
	if err != nil {
		return Tree{}, fmt.Errorf("the tree is not the JSON of a headcount.TreeNode: %w", err)
	}
	if len(roots) == 0 {
		return Tree{}, errors.New("the list of trees is empty")
	}
	var t Tree
	for _, n := range roots {
		if n.Path == "" {
			return Tree{}, errors.New("the tree is not the JSON of a headcount.TreeNode: its root has no Path")
		}
		t.Roots = append(t.Roots, n.Path)
		t.add(n)
	}
	return t, nil
}

// TreeOf is the tree of a running program that has told its limits. As in [ReadTree], what is below supervisors whose
// children come and go is left out.
func TreeOf(all *wire.AllLimits) (Tree, error) {
	if len(all.Supervisors) == 0 {
		return Tree{}, errors.New("the program has no supervisors")
	}
	t := Tree{Roots: []string{all.Supervisors[0].Path}}
	declared := map[string]bool{"": true} // paths of supervisors with declared children
	for i, s := range all.Supervisors {
		above := ""
		if cut := strings.LastIndexByte(s.Path, '/'); cut >= 0 && i > 0 {
			above = s.Path[:cut]
		}
		if !declared[above] {
			continue
		}
		if s.Kind == headcount.SupervisorKind.String() {
			declared[s.Path] = true
			t.Fixed = append(t.Fixed, s.Path)
		}
		t.Queues = t.Queues || s.Queue > 0
		t.Budgets = t.Budgets || s.MaxBytes > 0
		for _, l := range s.Limits {
			t.Gates = t.Gates || l.Gate
			t.Subtrees = t.Subtrees || l.Name == "max_descendants"
		}
	}
	return t, nil
}

func (t *Tree) add(n node) {
	if n.Kind == headcount.SupervisorKind {
		t.Fixed = append(t.Fixed, n.Path)
	}
	t.Queues = t.Queues || n.Queue > 0
	t.Subtrees = t.Subtrees || n.Descendants != nil && *n.Descendants >= 0
	t.Gates = t.Gates || len(n.Gates) > 0
	t.Budgets = t.Budgets || n.Counts.MaxBytes > 0
	for _, c := range n.Children {
		t.add(c)
	}
}

// matchers select the supervisors of the tree; grows selects those of them whose number of children can grow.
func (t Tree) matchers() (all, grows []string) {
	if len(t.Roots) > 0 {
		all = []string{`supervisor=~"(` + alternatives(t.Roots) + `)(/.*)?"`}
	}
	grows = all
	if len(t.Fixed) > 0 {
		grows = append(grows[:len(grows):len(grows)], `supervisor!~"`+alternatives(t.Fixed)+`"`)
	}
	return all, grows
}

// alternatives is a pattern for these paths, in a string of PromQL.
func alternatives(paths []string) string {
	var quoted []string
	for _, p := range paths {
		quoted = append(quoted, regexp.QuoteMeta(p))
	}
	return strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(strings.Join(quoted, "|"))
}
