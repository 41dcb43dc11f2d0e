package headcount

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"reflect"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A StackReport tells where the goroutines of a child are.
type StackReport struct {
	Time time.Time // of the profile: an answer may be from an earlier request
	Path string    // the child
	ID   uint64

	// Exact is set for a Traceable child: the goroutines are its own, with those that it has started by [Go] and
	// the strays. Otherwise they are all that carry the label of its supervisor, but those of Traceable children: the
	// child's are among them.
	Exact bool
	// Total is how many goroutines there are. It is zero for a child that started after Time, or has replaced its labels.
	Total    int
	Stacks   []Stack // the hundred most frequent ones, children's before strays
	Distinct int     // how many different ones there are
}

// A Stack is where Count goroutines are.
type Stack struct {
	Count int
	Stray bool   // they were started by a bare go statement
	Text  string // function by function, innermost first, each with its place on a line of its own
}

// Stack tells where a child is, at any depth below the supervisor, stuck or not: by its path and its id, as [ChildInfo]
// and [ChildStuck] have them. Zero for the id means the present child, if it is a declared one. Without such a child
// Stack returns [ErrNotFound].
//
// The goroutines are read as for [Supervisor.Goroutines], and with it: together they read once in a second at the most.
func (n *node) Stack(ctx context.Context, path string, id uint64) (StackReport, error) {
	p, err := n.readGoroutines(ctx)
	if err != nil {
		return StackReport{}, err
	}
	c := n.findChild(path, id, p)
	if c == nil || c.hasEnded() {
		return StackReport{}, fmt.Errorf("%s: %w: %s, id %d", n.Path(), ErrNotFound, strconv.QuoteToGraphic(path), id)
	}
	r := StackReport{Time: p.time, Path: path, ID: c.id}
	label := ""
	if x := c.extra.Load(); x != nil && x.spec.Traceable {
		r.Exact, label = true, c.traceLabel()
	}
	supervisor := c.home.supervisor().Path()
	counts := make(map[*goroutineStack]int)
	for _, rec := range p.records {
		if rec.path == supervisor && rec.child == label {
			counts[rec.stack] += rec.count
			r.Total += rec.count
		}
	}
	r.Distinct = len(counts)
	for stack, count := range counts {
		r.Stacks = append(r.Stacks, Stack{Count: count, Stray: stack.stray(), Text: stack.text})
	}
	slices.SortFunc(r.Stacks, func(a, b Stack) int {
		if a.Stray != b.Stray {
			if b.Stray {
				return -1
			}
			return 1
		}
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Text, b.Text))
	})
	r.Stacks = slices.Clip(r.Stacks[:min(len(r.Stacks), maxReported)])
	return r, nil
}

// traceLabel is the label that a Traceable child's goroutines have for themselves.
func (c *Child) traceLabel() string { return c.Path() + "#" + c.idName() }

// findChild finds the child of this path and id, the node's own runner included.
func (n *node) findChild(path string, id uint64, p *goroutineProfile) *Child {
	if path == n.Path() {
		if c := n.runner.Load(); c != nil && (id == 0 || id == c.id) {
			return c
		}
		return nil
	}
	if !isBelow(path, n.Path()) {
		return nil
	}
	return n.body.(interface {
		childAt(path string, id uint64, p *goroutineProfile) *Child
	}).childAt(path, id, p)
}

func (s *Supervisor) childAt(path string, id uint64, p *goroutineProfile) *Child {
	for _, m := range s.members() {
		at := m.path(nil)
		if at == path {
			if c := m.present(); c != nil && (id == 0 || id == c.id) {
				return c
			}
		} else if m.spec.sup != nil && isBelow(path, at) {
			return m.spec.sup.findChild(path, id, p)
		}
	}
	return nil
}

func (d *dynamic) childAt(path string, id uint64, p *goroutineProfile) (found *Child) {
	if c := d.registry.find(id); c != nil && c.Path() == path {
		return c
	}
	// A supervisor among the children is looked for among them all, so only if the profile shows it to have any itself.
	deeper := false
	for at := range p.paths {
		deeper = deeper || isBelow(at, d.Path()) && isBelow(path, at)
	}
	if !deeper {
		return nil
	}
	d.eachChild(func(c *Child) {
		if x := c.extra.Load(); found == nil && x != nil && x.spec.sup != nil {
			found = x.spec.sup.findChild(path, id, p)
		}
	})
	return found
}

// A goroutineStack is a stack with its end: there it says whose goroutine it is.
type goroutineStack struct {
	text  string
	whose owner
	whole bool // the end is there: the profile cuts off what is too deep
}

type owner uint8

const (
	nobodys owner = iota
	childs
	headcounts
)

// stray tells whether a goroutine with this stack and a label is a stray.
func (s *goroutineStack) stray() bool { return s.whole && s.whose == nobodys }

// A profileParser reads a goroutine profile in its text form, as it is written:
//
//	goroutine profile: total 3
//	2 @ 0x43b5ae 0x46c441
//	# labels: {"headcount":"myapp/jobs"}
//	#	0x46c440	main.work+0x20	/src/main.go:17
//
// with an empty line after each record. Labels are quoted as Go quotes strings.
type profileParser struct {
	profile  *goroutineProfile
	told     int // the total of the first line
	rest     []byte
	problem  bool
	stacks   map[string]*goroutineStack // by their lines: there are many labels and few stacks
	interned map[string]string
	entries  [3]string // the functions that a child's goroutine ends in or runs: live, help, do
	log      string    // the one that logs events

	open   bool
	record goroutineRecord
	whole  bool
	lines  []byte // of the stack
}

func newProfileParser(now time.Time) *profileParser {
	return &profileParser{
		profile: &goroutineProfile{time: now, paths: make(map[string]*PathGoroutines)},
		told:    -1,
		stacks:  make(map[string]*goroutineStack), interned: make(map[string]string),
		entries: [3]string{functionName((*Child).live), functionName((*Child).help), functionName((*Child).do)},
		log:     functionName((*eventLog).live),
	}
}

// functionName is how profiles call a function. A build may have renamed it.
func functionName(f any) string { return runtime.FuncForPC(reflect.ValueOf(f).Pointer()).Name() }

func (p *profileParser) Write(text []byte) (int, error) {
	n := len(text)
	for {
		i := bytes.IndexByte(text, '\n')
		if i < 0 {
			p.rest = append(p.rest, text...)
			return n, nil
		}
		line := text[:i]
		if len(p.rest) > 0 {
			p.rest = append(p.rest, line...)
			line = p.rest
		}
		p.line(line)
		p.rest = p.rest[:0]
		text = text[i+1:]
	}
}

func (p *profileParser) finish() *goroutineProfile {
	p.line(p.rest)
	p.endRecord()
	if p.problem || p.profile.total != p.told {
		p.profile.err = errGoroutineProfile
	}
	return p.profile
}

func (p *profileParser) line(line []byte) {
	if labels, ok := bytes.CutPrefix(line, []byte("# labels: ")); ok {
		p.labels(string(labels))
		return
	}
	switch {
	case len(line) == 0:
		p.endRecord()
	case line[0] == '#':
		p.lines = append(append(p.lines, line...), '\n')
	default:
		p.endRecord()
		p.head(string(line))
	}
}

// head reads the first line of all, or the first line of a record: how many goroutines, and their stack.
func (p *profileParser) head(line string) {
	if total, ok := strings.CutPrefix(line, "goroutine profile: total "); ok {
		n, err := strconv.Atoi(total)
		p.problem = p.problem || err != nil || p.told >= 0
		p.told = n
		return
	}
	number, stack, ok := strings.Cut(line, " @")
	count, err := strconv.Atoi(number)
	if !ok || err != nil || count < 0 || count > maxGoroutines-p.profile.total {
		p.problem = true
		return
	}
	p.open = true
	p.record = goroutineRecord{count: count}
	outermost := strings.TrimPrefix(stack[strings.LastIndexByte(stack, ' ')+1:], "0x")
	pc, _ := strconv.ParseUint(outermost, 16, 64)
	f := runtime.FuncForPC(uintptr(pc))
	p.whole = f != nil && f.Name() == "runtime.goexit"
}

// maxGoroutines is more than there can be.
const maxGoroutines = 1 << 30

// labels reads {"key":"value", "key":"value"}.
func (p *profileParser) labels(s string) {
	s, _ = strings.CutPrefix(s, "{")
	for {
		key, rest, ok := quotedPrefix(s)
		if !ok || !strings.HasPrefix(rest, ":") {
			return
		}
		value, rest, ok := quotedPrefix(rest[1:])
		if !ok {
			return
		}
		switch key {
		case labelSupervisor:
			p.record.path = p.intern(value)
		case labelChild:
			p.record.child = strings.Clone(value)
		}
		if s, ok = strings.CutPrefix(rest, ", "); !ok {
			return
		}
	}
}

func quotedPrefix(s string) (value, rest string, ok bool) {
	q, err := strconv.QuotedPrefix(s)
	if err != nil {
		return "", "", false
	}
	value, err = strconv.Unquote(q)
	return value, s[len(q):], err == nil
}

func (p *profileParser) intern(s string) string {
	if old, ok := p.interned[s]; ok {
		return old
	}
	s = strings.Clone(s)
	p.interned[s] = s
	return s
}

func (p *profileParser) endRecord() {
	if p.open {
		p.record.stack = p.stack()
		p.profile.add(p.record)
	}
	p.open = false
	p.record = goroutineRecord{}
	p.lines = p.lines[:0]
}

// stack gives the stack of the record.
func (p *profileParser) stack() *goroutineStack {
	if p.whole { // part of what makes two stacks the same
		p.lines = append(p.lines, '.')
	}
	if s := p.stacks[string(p.lines)]; s != nil {
		return s
	}
	s := &goroutineStack{whole: p.whole}
	var b strings.Builder
	last := ""
	for line := range strings.Lines(strings.TrimSuffix(string(p.lines), ".")) {
		function, place := frame(line)
		fmt.Fprintf(&b, "%s\n\t%s\n", function, place)
		if last = function; function == p.entries[2] {
			s.whose = childs
		}
	}
	switch {
	case !p.whole:
	case last == p.entries[0] || last == p.entries[1]:
		s.whose = childs
	case last == p.log:
		s.whose = headcounts
	}
	s.text = b.String()
	p.stacks[string(p.lines)] = s
	return s
}

// frame reads a line of a stack: #, the program counter, the function and how far in it, the place, with tabs between.
func frame(line string) (function, place string) {
	fields := strings.FieldsFunc(line, func(r rune) bool { return r == '\t' || r == '\n' })
	switch len(fields) {
	case 0, 1:
		return "?", "?"
	case 2:
		return fields[1], "?"
	case 3:
		return fields[2], "?"
	}
	function = fields[2]
	if i := strings.LastIndex(function, "+0x"); i >= 0 {
		function = function[:i]
	}
	return function, fields[3]
}
