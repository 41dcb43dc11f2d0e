package analyzers

import (
	"fmt"
	"go/ast"
	"go/types"
	"strings"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/ast/inspector"

	"github.com/headcount-go/headcount/audit/report"
)

const (
	gorilla = "github.com/gorilla/websocket"
	wsutil  = "github.com/gobwas/ws/wsutil"
	netWS   = "golang.org/x/net/websocket"
)

// The same library under its two names. Its connections have a limit of 32 KiB unless told otherwise.
var coder = []string{"github.com/coder/websocket", "nhooyr.io/websocket"}

// vastMessage is a limit that limits nothing: one message may take a gigabyte.
const vastMessage = 1 << 30

var messageWithoutLimit = rule{
	id: "HC116", name: "websocket-without-read-limit", confidence: report.High,
	summary: "a websocket takes messages of any size",
	facts:   []analysis.Fact{new(limitsMessages)},
	run:     findUnlimitedMessages,
}

// limitsMessages is the fact of a function that sets the read limit of a websocket it is given.
type limitsMessages struct{}

func (*limitsMessages) AFact() {}

const messageRemedy = `Set the largest message that an honest client sends, before the first read:

	conn.SetReadLimit(32 << 10)

or serve with Headcount's endpoint/websocket, where every bound that a peer could grow has a default.`

func findUnlimitedMessages(u *unit) error {
	limited, anyReads := u.messageLimits()
	for c, fn := range u.calls(u.root) {
		call := c.Node().(*ast.CallExpr)
		switch {
		case isMethod(fn, gorilla, "Upgrader", "Upgrade") || isFunc(fn, gorilla, "Upgrade"):
			if limited {
				continue
			}
			reads := anyReads
			holder, gone := u.connOf(c)
			if holder != nil && !gone {
				reads = u.readsWhole(holder) // it stays here, so this is all that is read of it
				if !reads {
					continue
				}
			}
			p := Problem{
				Message:     "no read limit is set on this websocket, and gorilla/websocket has none by itself: one message can take all memory",
				Remedy:      messageRemedy,
				Confidence:  report.High,
				Criticality: report.External,
			}
			if !reads || holder == nil {
				p.Confidence = report.Medium // who reads may set it
			}
			u.report(c, p)
		case isMethod(fn, gorilla, "Conn", "SetReadLimit"):
			if n, ok := u.intValue(call.Args[0]); ok && (n <= 0 || n >= vastMessage) {
				u.reportLimit(c, n, n <= 0)
			}
		case isMethod(fn, coder[0], "Conn", "SetReadLimit") || isMethod(fn, coder[1], "Conn", "SetReadLimit"):
			if n, ok := u.intValue(call.Args[0]); ok && (n < 0 || n >= vastMessage) {
				u.reportLimit(c, n, n < 0)
			}
		case isFunc(fn, wsutil, "ReadMessage", "ReadData", "ReadClientMessage", "ReadClientData", "ReadClientText", "ReadClientBinary"):
			if limited {
				continue
			}
			u.report(c, Problem{
				Message: "wsutil." + fn.Name() + " takes frames of any size unless wsutil.SetMaxFrameSize was called",
				Remedy: `Set both before the first connection, or read by a wsutil.Reader with MaxFrameSize:

	wsutil.SetMaxFrameSize(32 << 10)
	wsutil.SetMaxMessageSize(32 << 10)`,
				Confidence:  report.Medium, // it may be called in another package
				Criticality: report.External,
			})
		}
	}
	for c := range u.root.Preorder((*ast.AssignStmt)(nil)) {
		n := c.Node().(*ast.AssignStmt)
		for i, to := range n.Lhs {
			sel, ok := to.(*ast.SelectorExpr)
			if !ok || sel.Sel.Name != "MaxPayloadBytes" || !isType(u.TypesInfo.TypeOf(sel.X), netWS, "Conn") || len(n.Rhs) != len(n.Lhs) {
				continue
			}
			if v, ok := u.intValue(n.Rhs[i]); ok && v >= vastMessage {
				u.reportLimit(c, v, false)
			}
		}
	}
	return nil
}

// messageLimits says whether the package sets a limit on messages somewhere, and whether it reads any as a whole. Where the connection
// is kept in a struct, the limit is set in another function than the one that upgrades, so the whole package counts.
func (u *unit) messageLimits() (limited, reads bool) {
	for c, fn := range u.calls(u.root) {
		call := c.Node().(*ast.CallExpr)
		switch {
		case isMethod(fn, gorilla, "Conn", "SetReadLimit"):
			n, constant := u.intValue(call.Args[0])
			if constant && n <= 0 {
				continue
			}
			limited = true
			u.exportLimiter(c.Node())
		case isFunc(fn, wsutil, "SetMaxFrameSize", "SetMaxMessageSize"):
			limited = true
		case isMethod(fn, gorilla, "Conn", "ReadMessage", "ReadJSON"), isFunc(fn, gorilla, "ReadJSON"):
			reads = true
		default:
			if fn.Pkg() != nil && fn.Pkg() != u.Pkg && u.ImportObjectFact(fn, &limitsMessages{}) {
				limited = true
			}
		}
	}
	return limited, reads
}

// exportLimiter gives the function around a node the fact, if it was given the connection.
func (u *unit) exportLimiter(n ast.Node) {
	at, ok := u.root.FindNode(n)
	if !ok {
		return
	}
	for c := range at.Enclosing((*ast.FuncDecl)(nil)) {
		fn, ok := u.TypesInfo.ObjectOf(c.Node().(*ast.FuncDecl).Name).(*types.Func)
		if !ok {
			return
		}
		for v := range fn.Signature().Params().Variables() {
			if isType(v.Type(), gorilla, "Conn") {
				u.ExportObjectFact(fn, &limitsMessages{})
			}
		}
	}
}

// connOf is the variable that holds the connection of a call of Upgrade, and says whether it is known by another name too. It
// is nil where there is none, or other packages can reach it.
func (u *unit) connOf(c inspector.Cursor) (types.Object, bool) {
	assign, ok := c.Parent().Node().(*ast.AssignStmt)
	if !ok || len(assign.Rhs) != 1 {
		return nil, true
	}
	conn := u.object(assign.Lhs[0])
	if conn == nil || u.open(conn) {
		return nil, true
	}
	for ret := range u.root.Preorder((*ast.ReturnStmt)(nil)) {
		for _, r := range ret.Node().(*ast.ReturnStmt).Results {
			if u.object(r) == conn && u.exported(ret) {
				return nil, true
			}
		}
	}
	return conn, u.escapes(conn)
}

// readsWhole says whether whole messages are read from what a variable holds. By NextReader they are read in pieces.
func (u *unit) readsWhole(conn types.Object) bool {
	for c, fn := range u.calls(u.root) {
		if isMethod(fn, gorilla, "Conn", "ReadMessage", "ReadJSON") && u.object(receiverOf(c.Node().(*ast.CallExpr))) == conn {
			return true
		}
	}
	return false
}

// dialsOnly says whether the websockets of the package are those of a client: it chose the server itself.
func (u *unit) dialsOnly() bool {
	dials := false
	for _, fn := range u.calls(u.root) {
		switch fn.Name() {
		case "Accept", "Upgrade", "ServeHTTP":
			return false
		case "Dial", "DialContext":
			dials = dials || fn.Pkg() != nil && strings.HasSuffix(fn.Pkg().Path(), "/websocket")
		}
	}
	return dials
}

func (u *unit) reportLimit(c inspector.Cursor, n int64, none bool) {
	p := Problem{
		Message:     fmt.Sprintf("a read limit of %d bytes limits nothing: a few such messages take all memory", n),
		Remedy:      messageRemedy,
		Confidence:  report.Medium,
		Criticality: report.External,
	}
	if none {
		p.Message = fmt.Sprintf("a read limit of %d is none: one message can take all memory", n)
		p.Confidence = report.High
	}
	if u.dialsOnly() {
		p.Confidence, p.Criticality = report.Low, report.Internal
	}
	u.report(c, p)
}
