package analyzers

import (
	"bytes"
	"go/ast"
	"go/format"
	"go/token"
	"go/types"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/ast/inspector"
)

// text is an expression as source.
func (u *unit) text(e ast.Expr) string {
	var b bytes.Buffer
	if err := format.Node(&b, u.Fset, e); err != nil {
		return types.ExprString(e)
	}
	return b.String()
}

// importTime gives the name under which package time can be used at a place, and the edit that imports it where it is not
// yet. It fails where the name means something else there.
func (u *unit) importTime(at inspector.Cursor) (name string, edits []analysis.TextEdit, ok bool) {
	var file *ast.File
	for c := range at.Enclosing((*ast.File)(nil)) {
		file = c.Node().(*ast.File)
	}
	scope := u.TypesInfo.Scopes[file]
	if scope == nil {
		return "", nil, false
	}
	inner := scope.Innermost(at.Node().Pos())
	if inner == nil {
		return "", nil, false
	}
	for _, spec := range file.Imports {
		if spec.Path.Value != `"time"` {
			continue
		}
		used := u.TypesInfo.PkgNameOf(spec)
		if used == nil {
			return "", nil, false
		}
		_, there := inner.LookupParent(used.Name(), at.Node().Pos())
		return used.Name(), nil, there == used
	}
	if _, taken := inner.LookupParent("time", token.NoPos); taken != nil {
		return "", nil, false
	}
	for _, d := range file.Decls {
		if g, is := d.(*ast.GenDecl); is && g.Tok == token.IMPORT && g.Rparen.IsValid() {
			return "time", []analysis.TextEdit{{Pos: g.Rparen, End: g.Rparen, NewText: []byte("\t\"time\"\n")}}, true
		}
	}
	end := file.Name.End()
	return "time", []analysis.TextEdit{{Pos: end, End: end, NewText: []byte("\n\nimport \"time\"")}}, true
}
