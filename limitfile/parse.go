package limitfile

import (
	"errors"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"github.com/headcount-go/headcount"
)

// An entry is one limit in a file.
type entry struct {
	pattern pattern
	limit   string
	value   int
	reason  string
	owner   string
	review  time.Time
	expires time.Time
	where   at // of the limit's name
	valueAt at
}

// change is how the entry is set.
func (e *entry) change() headcount.Change {
	return headcount.Change{Source: "file", By: e.owner, Why: e.reason, Expires: e.expires, Review: e.review}
}

func (e *entry) expired(now time.Time) bool { return !e.expires.IsZero() && !e.expires.After(now) }

// Bounds of what is read.
const (
	maxFile    = 256 << 10
	maxNesting = 16
	maxText    = 1024
)

// parse reads a file without looking at any tree. What is wrong goes into the report.
func parse(data []byte, r *report) (entries []entry) {
	if !utf8.Valid(data) {
		r.add(at{}, "is not UTF-8 text")
		return nil
	}
	data = []byte(strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(string(data))) // all three end a line in YAML
	r.lines = strings.Split(string(data), "\n")
	if len(data) > maxFile {
		r.add(at{}, "has %d bytes; at most %d are read", len(data), maxFile)
		return nil
	}
	if where, deep := tooDeep(r.lines); deep {
		r.add(where, "is nested too deep")
		return nil
	}
	body, ok := document(data, r)
	if !ok {
		return nil
	}
	pairs, ok := r.mapping(body, "the file", "paths of supervisors, each with its limits")
	if !ok {
		return nil
	}
	for _, pair := range pairs {
		p, err := newPattern(pair.key)
		if err != nil {
			r.add(pair.keyAt, "the path %s %v", shown(pair.key), err)
			continue
		}
		p.where = pair.keyAt
		limits, ok := r.mapping(pair.value, shown(pair.key), "its limits, such as {max_children: 100}")
		if !ok {
			continue
		}
		for _, l := range limits {
			e := entry{pattern: p, limit: l.key, where: l.keyAt}
			if r.entry(&e, l.value) {
				entries = append(entries, e)
			}
		}
	}
	return entries
}

// document is the one document of the file. The reader of YAML is given text from outside: whatever it does must not
// end the service.
func document(data []byte, r *report) (body ast.Node, ok bool) {
	defer func() {
		if v := recover(); v != nil {
			r.add(at{}, "cannot be read as YAML: %v", v)
			ok = false
		}
	}()
	file, err := parser.ParseBytes(data, 0, parser.AllowDuplicateMapKey()) // duplicates are found here, with both places
	if err != nil {
		var syntax yaml.Error
		if errors.As(err, &syntax) && syntax.GetToken() != nil && syntax.GetToken().Position != nil {
			p := syntax.GetToken().Position
			r.add(at{p.Line, p.Column}, "is not YAML: %s", syntax.GetMessage())
		} else {
			r.add(at{}, "is not YAML: %v", err)
		}
		return nil, false
	}
	for _, d := range file.Docs {
		if d == nil || d.Body == nil || d.Body.Type() == ast.CommentType || d.Body.Type() == ast.NullType {
			continue
		}
		if body != nil {
			r.add(placeOf(d.Body), "a second document begins; one is read")
			return nil, false
		}
		body = d.Body
	}
	if body == nil {
		r.add(at{}, "has nothing in it; if no limit is wanted, write {}")
		return nil, false
	}
	return body, true
}

// tooDeep finds nesting that nobody writes, before a reader that recurses sees it.
func tooDeep(lines []string) (at, bool) {
	depth := 0
	for i, line := range lines {
		run := 0
		for j := 0; j < len(line); j++ {
			switch line[j] {
			case '[', '{':
				depth++
			case ']', '}':
				depth = max(depth-1, 0)
			case '-', '?', ':', '&', '!', '*':
				run++
				if run > maxNesting && strings.Trim(line[:j], " \t-?:&!*") == "" {
					return at{i + 1, j + 1}, true
				}
			}
			if depth > maxNesting {
				return at{i + 1, j + 1}, true
			}
		}
	}
	return at{}, false
}

type pair struct {
	key   string
	keyAt at
	value ast.Node
}

// mapping gives the pairs of a mapping without duplicates.
func (r *report) mapping(n ast.Node, what, of string) (pairs []pair, ok bool) {
	var values []*ast.MappingValueNode
	switch m := n.(type) {
	case *ast.MappingNode:
		values = m.Values
	case *ast.MappingValueNode:
		values = []*ast.MappingValueNode{m}
	default:
		r.add(placeOf(n), "%s is %s; it must be a mapping of %s", what, kindOf(n), of)
		return nil, false
	}
	before := make(map[string]at)
	ok = true
	for _, v := range values {
		keyAt := placeOf(v.Key)
		key, plain := text(v.Key)
		switch first, again := before[key]; {
		case !plain:
			r.add(keyAt, "a name is %s; it must be plain text", kindOf(v.Key))
			ok = false
		case again:
			r.add(keyAt, "%s is there twice, first in line %d", shown(key), first.line)
			ok = false
		default:
			before[key] = keyAt
			pairs = append(pairs, pair{key, keyAt, v.Value})
		}
	}
	return pairs, ok
}

// text is the text of a scalar as it is written, without quotes.
func text(n ast.Node) (string, bool) {
	switch n := n.(type) {
	case *ast.StringNode:
		return n.Value, true
	case *ast.LiteralNode:
		if n.Value == nil {
			return "", true
		}
		return n.Value.Value, true
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.InfinityNode, *ast.NanNode:
		if t := n.GetToken(); t != nil {
			return t.Value, true
		}
	}
	return "", false
}

func kindOf(n ast.Node) string {
	switch n.(type) {
	case nil, *ast.NullNode:
		return "empty"
	case *ast.SequenceNode:
		return "a list"
	case *ast.MappingNode, *ast.MappingValueNode:
		return "a mapping"
	case *ast.AnchorNode, *ast.AliasNode, *ast.MergeKeyNode:
		return "an anchor or alias, which are not read (patterns stand for groups)"
	case *ast.TagNode:
		return "a tag, which are not read"
	}
	if t, ok := text(n); ok {
		return shown(t)
	}
	return "something else"
}

func placeOf(n ast.Node) at {
	if n == nil {
		return at{}
	}
	if v, ok := n.(*ast.MappingValueNode); ok && v.Key != nil {
		n = v.Key // its own token is the colon
	}
	if m, ok := n.(*ast.MappingNode); ok && !m.IsFlowStyle && len(m.Values) > 0 && m.Values[0].Key != nil {
		n = m.Values[0].Key
	}
	t := n.GetToken()
	if t == nil || t.Position == nil {
		return at{}
	}
	return at{t.Position.Line, t.Position.Column}
}

var fields = []string{"value", "reason", "owner", "review", "expires"}

// entry reads a limit: a value, or a mapping with one.
func (r *report) entry(e *entry, n ast.Node) bool {
	e.valueAt = placeOf(n)
	if e.valueAt.line == 0 {
		e.valueAt = e.where
	}
	switch n.(type) {
	case *ast.MappingNode, *ast.MappingValueNode:
	default:
		return r.number(e, n)
	}
	pairs, ok := r.mapping(n, e.limit, strings.Join(fields, ", "))
	given := false
	for _, p := range pairs {
		t, plain := text(p.value)
		if !plain && p.key != "value" {
			if slices.Contains(fields, p.key) {
				r.add(p.keyAt, "%s is %s; it must be text", p.key, kindOf(p.value))
			}
			ok = false
		}
		switch p.key {
		case "value":
			given = true
			if where := placeOf(p.value); where.line > 0 {
				e.valueAt = where
			}
			ok = r.number(e, p.value) && ok
		case "reason":
			e.reason = cut(t)
		case "owner":
			e.owner = cut(t)
		case "review":
			ok = plain && r.date(&e.review, p, t) && ok
		case "expires":
			ok = plain && r.date(&e.expires, p, t) && ok
		default:
			r.add(p.keyAt, "there is no field %s%s", shown(p.key), nearest(p.key, fields))
			ok = false
		}
	}
	if !given && ok {
		r.add(e.where, "%s has no value", e.limit)
	}
	return ok && given
}

func cut(s string) string {
	s = strings.TrimSpace(s)
	if len(s) > maxText {
		s = strings.ToValidUTF8(s[:maxText], "") + "…"
	}
	return s
}
