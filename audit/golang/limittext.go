package golang

import (
	"go/ast"
	"go/constant"
	"go/printer"
	"go/token"
	"go/types"
	"strings"

	"golang.org/x/tools/go/ssa"
	"golang.org/x/tools/go/types/typeutil"

	"github.com/headcount-go/headcount/audit/report"
)

// limitless is the limit of what has none.
func limitless(*making) report.Limit { return report.Limit{State: report.Unlimited} }

// writtenDown is the limit of a supervisor whose children are written down.
func writtenDown(*making) report.Limit { return report.Limit{State: report.NotApplicable} }

// argument reads a limit that is an argument. Pools take zero or less for no limit.
func argument(n int) func(*making) report.Limit {
	return func(m *making) report.Limit {
		if n >= len(m.call.Args) {
			return report.Limit{}
		}
		l := m.value(m.call.Args[n])
		if l.State == report.Set && l.Value <= 0 {
			l.State = report.Unlimited
		}
		return l
	}
}

// value reads a number, or the expression that gives it.
func (m *making) value(e ast.Expr) report.Limit {
	text := textOf(e)
	if tv, ok := m.pkg.TypesInfo.Types[e]; ok && tv.Value != nil {
		if n, exact := constant.Int64Val(constant.ToInt(tv.Value)); exact {
			if m.unlimited(e) {
				return report.Limit{State: report.Unlimited, Text: text}
			}
			return report.Limit{State: report.Set, Value: n, Text: text}
		}
	}
	return report.Limit{State: report.Expression, Text: text}
}

// unlimited knows the constant that stands for no limit, by the object and not by its number.
func (m *making) unlimited(e ast.Expr) bool {
	var id *ast.Ident
	switch e := ast.Unparen(e).(type) {
	case *ast.Ident:
		id = e
	case *ast.SelectorExpr:
		id = e.Sel
	default:
		return false
	}
	obj := m.pkg.TypesInfo.Uses[id]
	return obj != nil && obj.Name() == "Unlimited" && obj.Pkg() != nil && plainPath(obj.Pkg().Path()) == headcountPath
}

func textOf(e ast.Expr) string {
	var b strings.Builder
	if err := printer.Fprint(&b, token.NewFileSet(), e); err != nil {
		return ""
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

// name is the first argument where that is a constant string, and otherwise as it is written.
func (m *making) name() string {
	if len(m.call.Args) == 0 {
		return ""
	}
	first := m.call.Args[0]
	tv, ok := m.pkg.TypesInfo.Types[first]
	if !ok || tv.Type == nil {
		return ""
	}
	if b, ok := tv.Type.Underlying().(*types.Basic); !ok || b.Info()&types.IsString == 0 {
		return ""
	}
	if tv.Value != nil && tv.Value.Kind() == constant.String {
		return constant.StringVal(tv.Value)
	}
	return textOf(first)
}

// childLimit reads headcount.MaxChildren, and for a keyed supervisor also what stands behind it.
func childLimit(m *making) report.Limit {
	if len(m.call.Args) < 2 {
		return report.Limit{}
	}
	l := m.childrenOf(m.call.Args[1])
	if len(m.call.Args) > 2 && m.maker(m.call.Args[2]) == "MaxPerKey" {
		l.Text = textOf(m.call.Args[1]) + ", " + textOf(m.call.Args[2])
	}
	return l
}

// childrenOf reads MaxChildren(n).
func (m *making) childrenOf(e ast.Expr) report.Limit {
	if m.maker(e) != "MaxChildren" {
		if m.unlimited(e) {
			return report.Limit{State: report.Unlimited, Text: textOf(e)}
		}
		return report.Limit{State: report.Expression, Text: textOf(e)}
	}
	call := ast.Unparen(e).(*ast.CallExpr)
	if len(call.Args) == 0 {
		return report.Limit{}
	}
	return m.value(call.Args[0])
}

// maker names the function of the library that e calls.
func (m *making) maker(e ast.Expr) string {
	call, ok := ast.Unparen(e).(*ast.CallExpr)
	if !ok {
		return ""
	}
	if callee := typeutil.StaticCallee(m.pkg.TypesInfo, call); callee != nil && methodOf(callee).pkg == headcountPath {
		return callee.Name()
	}
	return ""
}

// endpointLimit reads the connections, or for a handler the requests, of endpoint.Limits among the options. Left out, the
// endpoint has a default, which depends on the process.
func endpointLimit(m *making) report.Limit {
	field := "Conns"
	if callee := typeutil.StaticCallee(m.pkg.TypesInfo, m.call); callee != nil && callee.Name() == "NewLimitHandler" {
		field = "Requests"
	}
	known := !m.call.Ellipsis.IsValid()
	for _, arg := range m.call.Args {
		tv, ok := m.pkg.TypesInfo.Types[arg]
		if !ok || !isNamed(tv.Type, headcountPath+"/endpoint", "Limits") {
			continue
		}
		lit, ok := ast.Unparen(arg).(*ast.CompositeLit)
		if !ok {
			return report.Limit{State: report.Expression, Text: textOf(arg)}
		}
		for _, elt := range lit.Elts {
			if kv, ok := elt.(*ast.KeyValueExpr); ok {
				if id, ok := kv.Key.(*ast.Ident); ok && id.Name == field {
					return m.value(kv.Value)
				}
			}
		}
	}
	if !known {
		return report.Limit{State: report.Expression, Text: textOf(m.call.Args[len(m.call.Args)-1]) + "..."}
	}
	return report.Limit{State: report.Expression, Text: "the default of " + field}
}

// setLimit reads the limit that a group or pool is given after it is made.
func setLimit(m *making) report.Limit {
	made := m.result()
	if made == nil {
		return report.Limit{}
	}
	for _, ref := range *made.Referrers() {
		if ex, ok := ref.(*ssa.Extract); ok && ex.Index == 0 {
			if l := m.p.groupLimit(ex); l.State != report.Unlimited {
				return l
			}
		}
	}
	return m.p.groupLimit(made)
}

// served reads the limit of the listener that a server is given.
func served(m *making) report.Limit {
	if m.made == nil {
		return report.Limit{}
	}
	for _, arg := range m.made.Common().Args {
		if has(arg.Type(), "Accept") && m.p.limitsConns(arg, 8, map[ssa.Value]bool{}) {
			return report.Limit{State: report.Expression, Text: "that of its listener"}
		}
	}
	return report.Limit{State: report.Unlimited}
}

// static reads the strategy and the restart budget of a supervisor with declared children.
func (m *making) static() (strategy, restarts string) {
	if len(m.call.Args) < 2 {
		return "", ""
	}
	lit, ok := ast.Unparen(m.call.Args[1]).(*ast.CompositeLit)
	if !ok {
		return "", ""
	}
	strategy, restarts = "one_for_one", "3 in 5s"
	for _, elt := range lit.Elts {
		kv, ok := elt.(*ast.KeyValueExpr)
		if !ok {
			continue
		}
		switch id, _ := kv.Key.(*ast.Ident); {
		case id == nil:
		case id.Name == "Strategy":
			strategy = strategyOf(textOf(kv.Value))
		case id.Name == "Intensity":
			restarts = m.intensity(kv.Value)
		}
	}
	return strategy, restarts
}

func strategyOf(text string) string {
	name := text[strings.LastIndexByte(text, '.')+1:]
	switch name {
	case "OneForOne":
		return "one_for_one"
	case "OneForAll":
		return "one_for_all"
	case "RestForOne":
		return "rest_for_one"
	}
	return text
}

func (m *making) intensity(e ast.Expr) string {
	lit, ok := ast.Unparen(e).(*ast.CompositeLit)
	if !ok {
		return textOf(e)
	}
	n, within := "0", "0"
	for i, elt := range lit.Elts {
		name, value := []string{"Restarts", "Within"}[min(i, 1)], elt
		if kv, ok := elt.(*ast.KeyValueExpr); ok {
			name, value = textOf(kv.Key), kv.Value
		}
		if name == "Restarts" {
			n = textOf(value)
		} else {
			within = duration(textOf(value))
		}
	}
	return n + " in " + within
}

// duration writes 5*time.Second as 5s.
func duration(text string) string {
	for name, unit := range map[string]string{"time.Second": "s", "time.Minute": "m", "time.Hour": "h", "time.Millisecond": "ms"} {
		if n, ok := strings.CutSuffix(strings.ReplaceAll(text, " ", ""), "*"+name); ok {
			return n + unit
		}
		if text == name {
			return "1" + unit
		}
	}
	return text
}
