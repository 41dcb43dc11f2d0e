package analyzers

import (
	"go/ast"
	"go/token"
	"regexp"
	"strings"
	"unicode"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/ast/inspector"

	"github.com/headcount-go/headcount/audit/report"
)

// A Problem is one place that a rule has something to say about.
type Problem struct {
	Pos, End token.Pos
	Message  string
	Remedy   string // what to write, as code where it can be
	report.Confidence
	report.Criticality
	// Reached is the confidence instead, where a call graph shows that an outsider reaches the place. Zero is no change.
	Reached report.Confidence
	Symbol  string // the function it is in, such as example.org/app.Server.run
	Code    string // the line of the source
	Fixes   []analysis.SuggestedFix
}

// Result is what one rule found in one package.
type Result struct {
	Rule     string
	Problems []Problem
	// BodiesLimited says that the package puts a limit on the bodies of requests for handlers that are elsewhere: by
	// http.MaxBytesHandler or a middleware of its own.
	BodiesLimited bool

	fset *token.FileSet
}

// A unit is one package under one rule.
type unit struct {
	*analysis.Pass
	root   inspector.Cursor
	result *Result
	least  report.Confidence
	values values // by given
}

// report takes down a problem at a node. Tests, and files that help them, are left alone: what they start ends with them.
func (u *unit) report(at inspector.Cursor, p Problem) {
	n := at.Node()
	p.Pos, p.End = n.Pos(), n.End()
	if u.forTests(p.Pos) {
		return
	}
	p.Symbol = u.symbol(at)
	line := u.line(p.Pos)
	p.Code = strings.TrimSpace(line)
	u.result.Problems = append(u.result.Problems, p)
	if p.Confidence < u.least || u.ignored(p.Pos) {
		return
	}
	u.Report(analysis.Diagnostic{
		Pos: p.Pos, End: p.End,
		Category:       u.result.Rule,
		Message:        p.Message + " (" + u.result.Rule + ")",
		SuggestedFixes: p.Fixes,
	})
}

// What tests need is often in files that are not named so: in such directories, or in packages named as httptest is.
var (
	testDirs    = map[string]bool{"test": true, "tests": true, "e2e": true, "testing": true, "testutil": true, "testutils": true, "testhelper": true}
	testPackage = regexp.MustCompile(`tests?$`)
	notTest     = regexp.MustCompile(`(at|con|la|pro|grea)test$`)
)

func (u *unit) forTests(pos token.Pos) bool {
	f := u.file(pos)
	if f == nil || strings.HasSuffix(u.Fset.Position(pos).Filename, "_test.go") {
		return true
	}
	if testPackage.MatchString(u.Pkg.Name()) && !notTest.MatchString(u.Pkg.Name()) {
		return true
	}
	for part := range strings.SplitSeq(u.Pkg.Path(), "/") {
		if testDirs[part] {
			return true
		}
	}
	for _, spec := range f.Imports {
		if spec.Path.Value == `"testing"` || spec.Path.Value == `"net/http/httptest"` {
			return true
		}
	}
	return false
}

func (u *unit) file(pos token.Pos) *ast.File {
	for _, f := range u.Files {
		if f.FileStart <= pos && pos < f.FileEnd {
			return f
		}
	}
	return nil
}

// line is the line of the source that pos is on; empty if it cannot be read.
func (u *unit) line(pos token.Pos) string {
	f := u.Fset.File(pos)
	if f == nil {
		return ""
	}
	source, err := u.ReadFile(f.Name())
	if err != nil {
		return ""
	}
	n := f.Line(pos)
	start := f.Offset(f.LineStart(n))
	if start > len(source) {
		return ""
	}
	line, _, _ := strings.Cut(string(source[start:]), "\n")
	return line
}

// ignored says whether a comment at the end of the line of pos, or on the lines above it that are comments alone, lets the rule
// pass. Findings keep what is ignored: the review judges these comments itself, and tells of those that are not needed.
func (u *unit) ignored(pos token.Pos) bool {
	at := u.lineOf(pos)
	for _, group := range u.file(pos).Comments {
		last := u.lineOf(group.End())
		for _, c := range group.List {
			above := last == at-1 && strings.HasPrefix(strings.TrimSpace(u.line(c.Pos())), "//")
			if (above || u.lineOf(c.Pos()) == at) && ignores(c.Text, u.result.Rule) {
				return true
			}
		}
	}
	return false
}

// ignores says whether a comment is "//headcount:ignore RULE, RULE reason"; the reason is required.
func ignores(comment, rule string) bool {
	rest, ok := strings.CutPrefix(strings.TrimSpace(strings.TrimPrefix(comment, "//")), "headcount:ignore ")
	named := false
	for word := range strings.FieldsFuncSeq(rest, func(r rune) bool { return r == ',' || unicode.IsSpace(r) }) {
		if !ruleID.MatchString(word) {
			return ok && named && strings.ContainsFunc(rest[strings.Index(rest, word):], unicode.IsLetter)
		}
		named = named || strings.TrimSuffix(word, ":") == rule
	}
	return false
}

var ruleID = regexp.MustCompile(`^HC[0-9]{3}:?$`)

// symbol names the function that a node is in, or what is declared there.
func (u *unit) symbol(at inspector.Cursor) string {
	pkg := u.Pkg.Path()
	for c := range at.Enclosing((*ast.FuncDecl)(nil), (*ast.GenDecl)(nil)) {
		switch d := c.Node().(type) {
		case *ast.FuncDecl:
			if d.Recv != nil && len(d.Recv.List) == 1 {
				return pkg + "." + receiver(d.Recv.List[0].Type) + "." + d.Name.Name
			}
			return pkg + "." + d.Name.Name
		case *ast.GenDecl:
			if c.Parent().Node() == nil {
				continue
			}
			if _, top := c.Parent().Node().(*ast.File); !top {
				continue
			}
			for _, s := range d.Specs {
				if v, ok := s.(*ast.ValueSpec); ok && v.Pos() <= at.Node().Pos() && at.Node().End() <= v.End() {
					return pkg + "." + v.Names[0].Name
				}
			}
		}
	}
	return pkg
}

func receiver(t ast.Expr) string {
	switch t := t.(type) {
	case *ast.StarExpr:
		return receiver(t.X)
	case *ast.IndexExpr:
		return receiver(t.X)
	case *ast.IndexListExpr:
		return receiver(t.X)
	case *ast.Ident:
		return t.Name
	default:
		return "?"
	}
}
