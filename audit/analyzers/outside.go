package analyzers

import (
	"go/ast"
	"go/types"
	"net"
	"strings"

	"golang.org/x/tools/go/ast/inspector"

	"github.com/headcount-go/headcount/audit/report"
)

// criticality says what the functions around a node tell of who decides how often it runs. Without a call graph that is
// what their parameters tell: a function that is handed a request, a message or a connection runs for each of them.
func (u *unit) criticality(at inspector.Cursor) report.Criticality {
	for c := range at.Enclosing((*ast.FuncDecl)(nil), (*ast.FuncLit)(nil)) {
		if sig := u.signature(c.Node()); sig != nil && fromOutside(sig) {
			return report.External
		}
	}
	return report.NotKnown
}

func (u *unit) signature(n ast.Node) *types.Signature {
	var t types.Type
	switch n := n.(type) {
	case *ast.FuncDecl:
		t = u.TypesInfo.ObjectOf(n.Name).Type()
	case *ast.FuncLit:
		t = u.TypesInfo.TypeOf(n)
	}
	sig, _ := t.(*types.Signature)
	return sig
}

// handed are the types that a server or a client of a broker hands to a function for each request, message or connection.
var handed = [][2]string{
	{"github.com/gin-gonic/gin", "Context"},
	{"github.com/labstack/echo/v4", "Context"},
	{"github.com/gofiber/fiber/v2", "Ctx"},
	{"github.com/gofiber/fiber/v3", "Ctx"},
	{"github.com/valyala/fasthttp", "RequestCtx"},
	{"github.com/gorilla/websocket", "Conn"},
	{"github.com/coder/websocket", "Conn"},
	{"nhooyr.io/websocket", "Conn"},
	{"golang.org/x/net/websocket", "Conn"},
	{"github.com/nats-io/nats.go", "Msg"},
	{"github.com/nats-io/nats.go/jetstream", "Msg"},
	{"github.com/segmentio/kafka-go", "Message"},
	{"github.com/IBM/sarama", "ConsumerMessage"},
	{"github.com/rabbitmq/amqp091-go", "Delivery"},
	{"github.com/eclipse/paho.mqtt.golang", "Message"},
	{"net", "Conn"},
}

func fromOutside(sig *types.Signature) bool {
	if isHandler(sig) || isRPC(sig) {
		return true
	}
	for v := range sig.Params().Variables() {
		for _, h := range handed {
			if isType(v.Type(), h[0], h[1]) {
				return true
			}
		}
	}
	return false
}

// isHandler says whether a function has what serving a request needs: where to write and what was asked.
func isHandler(sig *types.Signature) bool {
	var w, r bool
	for v := range sig.Params().Variables() {
		w = w || isType(v.Type(), "net/http", "ResponseWriter")
		r = r || isType(v.Type(), "net/http", "Request")
	}
	return w && r
}

// isRPC says whether a function is a method as gRPC's servers have them: a message in and one out, or a stream.
func isRPC(sig *types.Signature) bool {
	if sig.Recv() == nil {
		return false
	}
	in, out := sig.Params(), sig.Results()
	switch {
	case in.Len() == 2 && out.Len() == 2:
		return isType(in.At(0).Type(), "context", "Context") && isMessage(in.At(1).Type()) && isMessage(out.At(0).Type())
	case in.Len() > 0 && in.Len() <= 2 && out.Len() == 1:
		return has(in.At(in.Len()-1).Type(), "RecvMsg")
	}
	return false
}

func isMessage(t types.Type) bool {
	_, pointer := t.(*types.Pointer)
	return pointer && has(t, "ProtoReflect")
}

func has(t types.Type, method string) bool {
	obj, _, _ := types.LookupFieldOrMethod(t, true, nil, method)
	_, ok := obj.(*types.Func)
	return ok
}

// loopback says whether an address to listen on is one that only this machine reaches.
func loopback(addr string) bool {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return strings.HasPrefix(addr, "unix:") || strings.HasPrefix(addr, "/")
	}
	if host == "localhost" {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}
