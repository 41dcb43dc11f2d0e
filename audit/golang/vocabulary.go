package golang

import (
	"go/types"
	"strings"

	"golang.org/x/tools/go/ssa"
)

// What libraries call the things that an outsider reaches. A package is named without its major version.

// A method is one of a type, or with an empty type a function of a package.
type method struct{ pkg, typ, name string }

// receiving calls wait for the next message that somebody else decided to send.
var receiving = map[method]string{
	{"github.com/gorilla/websocket", "Conn", "ReadMessage"}:                  "websocket message",
	{"github.com/gorilla/websocket", "Conn", "ReadJSON"}:                     "websocket message",
	{"github.com/gorilla/websocket", "Conn", "NextReader"}:                   "websocket message",
	{"github.com/gorilla/websocket", "", "ReadJSON"}:                         "websocket message",
	{"github.com/fasthttp/websocket", "Conn", "ReadMessage"}:                 "websocket message",
	{"github.com/fasthttp/websocket", "Conn", "ReadJSON"}:                    "websocket message",
	{"github.com/gofiber/websocket", "Conn", "ReadMessage"}:                  "websocket message",
	{"github.com/gofiber/contrib/websocket", "Conn", "ReadMessage"}:          "websocket message",
	{"github.com/coder/websocket", "Conn", "Read"}:                           "websocket message",
	{"github.com/coder/websocket", "Conn", "Reader"}:                         "websocket message",
	{"github.com/coder/websocket/wsjson", "", "Read"}:                        "websocket message",
	{"nhooyr.io/websocket", "Conn", "Read"}:                                  "websocket message",
	{"nhooyr.io/websocket", "Conn", "Reader"}:                                "websocket message",
	{"nhooyr.io/websocket/wsjson", "", "Read"}:                               "websocket message",
	{"golang.org/x/net/websocket", "Codec", "Receive"}:                       "websocket message",
	{"github.com/gobwas/ws", "", "ReadFrame"}:                                "websocket message",
	{"github.com/gobwas/ws", "", "ReadHeader"}:                               "websocket message",
	{"github.com/gobwas/ws/wsutil", "", "ReadClientData"}:                    "websocket message",
	{"github.com/gobwas/ws/wsutil", "", "ReadClientText"}:                    "websocket message",
	{"github.com/gobwas/ws/wsutil", "", "ReadClientMessage"}:                 "websocket message",
	{"github.com/gobwas/ws/wsutil", "", "NextReader"}:                        "websocket message",
	{"github.com/headcount-go/headcount/endpoint/websocket", "Conn", "Read"}: "websocket message",

	{"github.com/nats-io/nats.go", "Subscription", "NextMsg"}:                       "NATS message",
	{"github.com/nats-io/nats.go", "Subscription", "NextMsgWithContext"}:            "NATS message",
	{"github.com/nats-io/nats.go", "Subscription", "Fetch"}:                         "NATS message",
	{"github.com/nats-io/nats.go/jetstream", "MessagesContext", "Next"}:             "NATS message",
	{"github.com/nats-io/nats.go/jetstream", "Consumer", "Next"}:                    "NATS message",
	{"github.com/nats-io/nats.go/jetstream", "Consumer", "Fetch"}:                   "NATS message",
	{"github.com/segmentio/kafka-go", "Reader", "ReadMessage"}:                      "Kafka message",
	{"github.com/segmentio/kafka-go", "Reader", "FetchMessage"}:                     "Kafka message",
	{"github.com/twmb/franz-go/pkg/kgo", "Client", "PollFetches"}:                   "Kafka message",
	{"github.com/twmb/franz-go/pkg/kgo", "Client", "PollRecords"}:                   "Kafka message",
	{"github.com/confluentinc/confluent-kafka-go/kafka", "Consumer", "ReadMessage"}: "Kafka message",
	{"github.com/confluentinc/confluent-kafka-go/kafka", "Consumer", "Poll"}:        "Kafka message",
	{"github.com/redis/go-redis", "PubSub", "ReceiveMessage"}:                       "Redis message",
	{"github.com/redis/go-redis", "PubSub", "Receive"}:                              "Redis message",
	{"github.com/go-redis/redis", "PubSub", "ReceiveMessage"}:                       "Redis message",
	{"github.com/go-redis/redis", "PubSub", "Receive"}:                              "Redis message",
	{"github.com/aws/aws-sdk-go-v2/service/sqs", "Client", "ReceiveMessage"}:        "SQS message",
	{"github.com/aws/aws-sdk-go/service/sqs", "SQS", "ReceiveMessage"}:              "SQS message",
	{"github.com/apache/pulsar-client-go/pulsar", "Consumer", "Receive"}:            "Pulsar message",
	{"github.com/go-stomp/stomp", "Subscription", "Read"}:                           "STOMP message",

	{"net", "UDPConn", "ReadFrom"}:            "datagram",
	{"net", "UDPConn", "ReadFromUDP"}:         "datagram",
	{"net", "UDPConn", "ReadFromUDPAddrPort"}: "datagram",
	{"net", "UDPConn", "ReadMsgUDP"}:          "datagram",
	{"net", "UDPConn", "ReadMsgUDPAddrPort"}:  "datagram",
	{"net", "PacketConn", "ReadFrom"}:         "datagram",
	{"net", "UnixConn", "ReadFromUnix"}:       "datagram",
	{"net", "Conn", "Read"}:                   "message of a connection",
	{"net", "TCPConn", "Read"}:                "message of a connection",
	{"crypto/tls", "Conn", "Read"}:            "message of a connection",
	{"net/textproto", "Reader", "ReadLine"}:   "line of a connection",
	{"net/textproto", "Conn", "ReadLine"}:     "line of a connection",
}

// readers make messages out of the bytes of something; it counts where that is a connection.
var readers = map[method]bool{
	{"bufio", "Reader", "Read"}:            true,
	{"bufio", "Reader", "ReadString"}:      true,
	{"bufio", "Reader", "ReadBytes"}:       true,
	{"bufio", "Reader", "ReadLine"}:        true,
	{"bufio", "Reader", "ReadByte"}:        true,
	{"bufio", "Reader", "ReadSlice"}:       true,
	{"bufio", "Scanner", "Scan"}:           true,
	{"encoding/json", "Decoder", "Decode"}: true,
	{"encoding/gob", "Decoder", "Decode"}:  true,
	{"net/http", "", "ReadRequest"}:        true,
	{"io", "", "ReadFull"}:                 true,
}

// carriers are types of messages: a channel of them is fed by an outsider, a callback that takes one is called for each.
var carriers = map[method]string{
	{"github.com/nats-io/nats.go", "Msg", ""}:                            "NATS message",
	{"github.com/nats-io/nats.go/jetstream", "Msg", ""}:                  "NATS message",
	{"github.com/IBM/sarama", "ConsumerMessage", ""}:                     "Kafka message",
	{"github.com/Shopify/sarama", "ConsumerMessage", ""}:                 "Kafka message",
	{"github.com/twmb/franz-go/pkg/kgo", "Record", ""}:                   "Kafka message",
	{"github.com/rabbitmq/amqp091-go", "Delivery", ""}:                   "AMQP message",
	{"github.com/streadway/amqp", "Delivery", ""}:                        "AMQP message",
	{"github.com/redis/go-redis", "Message", ""}:                         "Redis message",
	{"github.com/go-redis/redis", "Message", ""}:                         "Redis message",
	{"cloud.google.com/go/pubsub", "Message", ""}:                        "Pub/Sub message",
	{"github.com/eclipse/paho.mqtt.golang", "Message", ""}:               "MQTT message",
	{"github.com/nsqio/go-nsq", "Message", ""}:                           "NSQ message",
	{"github.com/lxzan/gws", "Message", ""}:                              "websocket message",
	{"github.com/go-stomp/stomp", "Message", ""}:                         "STOMP message",
	{"github.com/apache/pulsar-client-go/pulsar", "ConsumerMessage", ""}: "Pulsar message",
	{"golang.org/x/crypto/ssh", "NewChannel", ""}:                        "SSH channel",
	{"golang.org/x/crypto/ssh", "Request", ""}:                           "SSH request",
}

// contexts are parameters by which a framework's handler is known.
var contexts = map[method]string{
	{"github.com/gin-gonic/gin", "Context", ""}:                  "gin handler",
	{"github.com/labstack/echo", "Context", ""}:                  "echo handler",
	{"github.com/gofiber/fiber", "Ctx", ""}:                      "fiber handler",
	{"github.com/valyala/fasthttp", "RequestCtx", ""}:            "fasthttp handler",
	{"github.com/cloudwego/hertz/pkg/app", "RequestContext", ""}: "hertz handler",
	{"github.com/gliderlabs/ssh", "Session", ""}:                 "SSH session",
	{"connectrpc.com/connect", "Request", ""}:                    "Connect method",
	{"github.com/miekg/dns", "ResponseWriter", ""}:               "DNS handler",
}

func kindOf(t types.Type, table map[method]string) string {
	named := namedOf(t)
	if named == nil || named.Obj().Pkg() == nil {
		return ""
	}
	return table[method{plainPath(named.Obj().Pkg().Path()), named.Obj().Name(), ""}]
}

// plainPath leaves the major version out of an import path, at its end and within, and what comes before a vendored one.
func plainPath(path string) string {
	if i := strings.LastIndex(path, "/vendor/"); i >= 0 {
		path = path[i+len("/vendor/"):]
	}
	parts := strings.Split(path, "/")
	kept := parts[:0]
	for _, part := range parts {
		if len(part) < 2 || part[0] != 'v' || strings.Trim(part[1:], "0123456789") != "" {
			kept = append(kept, part)
		}
	}
	return strings.Join(kept, "/")
}

// calleeOf names the function or method that is called, also one of an interface.
func calleeOf(c *ssa.CallCommon) (m method) {
	if c.IsInvoke() {
		return methodOf(c.Method)
	}
	fn := c.StaticCallee()
	if fn == nil {
		return method{}
	}
	if o := fn.Origin(); o != nil {
		fn = o
	}
	if obj, ok := fn.Object().(*types.Func); ok {
		return methodOf(obj)
	}
	return method{}
}

func methodOf(f *types.Func) method {
	m := method{name: f.Name()}
	if f.Pkg() != nil {
		m.pkg = plainPath(f.Pkg().Path())
	}
	if recv := f.Signature().Recv(); recv != nil {
		if named := namedOf(recv.Type()); named != nil {
			m.typ = named.Obj().Name()
		}
	}
	return m
}

// invoked is calleeOf with the type that the method is called on, which for an embedded interface is not the one that
// declares it.
func invoked(c *ssa.CallCommon) method {
	m := calleeOf(c)
	if c.IsInvoke() {
		if named := namedOf(c.Value.Type()); named != nil && named.Obj().Pkg() != nil {
			m.pkg, m.typ = plainPath(named.Obj().Pkg().Path()), named.Obj().Name()
		}
	}
	return m
}

// accepting reports whether a call waits for the next connection, stream or channel of a listener: Accept, AcceptTCP,
// AcceptStream and the like, with an error as its last result.
func accepting(c *ssa.CallCommon) bool {
	m := calleeOf(c)
	if m.name != "Accept" && m.name != "AcceptTCP" && m.name != "AcceptUnix" && m.name != "AcceptConn" &&
		m.name != "AcceptStream" && m.name != "AcceptUniStream" && m.name != "AcceptMuxado" {
		return false
	}
	sig := c.Signature()
	res := sig.Results()
	if m.typ == "" || res.Len() < 2 || !isError(res.At(res.Len()-1).Type()) {
		return false
	}
	return has(res.At(0).Type(), "Close") || has(res.At(0).Type(), "CloseWithError") || has(res.At(0).Type(), "CancelRead")
}

func has(t types.Type, name string) bool {
	obj, _, _ := types.LookupFieldOrMethod(t, true, nil, name)
	_, ok := obj.(*types.Func)
	return ok
}

func isError(t types.Type) bool { return types.Identical(t, types.Universe.Lookup("error").Type()) }

func isNamed(t types.Type, pkg, name string) bool {
	named := namedOf(t)
	return named != nil && named.Obj().Name() == name && named.Obj().Pkg() != nil && plainPath(named.Obj().Pkg().Path()) == pkg
}

// startsGoroutine reports whether a function of another module runs its argument on a goroutine of its own.
func startsGoroutine(fn *ssa.Function) bool {
	obj, ok := fn.Object().(*types.Func)
	return ok && starting[methodOf(obj)] != ""
}

// starting functions do what a go statement does. What they start through a pool that is always limited is not here.
var starting = map[method]string{
	{"sync", "WaitGroup", "Go"}:                                     "sync.WaitGroup.Go",
	{"golang.org/x/sync/errgroup", "Group", "Go"}:                   "errgroup.Group.Go",
	{"github.com/sourcegraph/conc", "WaitGroup", "Go"}:              "conc.WaitGroup.Go",
	{"github.com/sourcegraph/conc/pool", "Pool", "Go"}:              "conc pool.Pool.Go",
	{"github.com/sourcegraph/conc/pool", "ErrorPool", "Go"}:         "conc pool.ErrorPool.Go",
	{"github.com/sourcegraph/conc/pool", "ContextPool", "Go"}:       "conc pool.ContextPool.Go",
	{"github.com/sourcegraph/conc/pool", "ResultPool", "Go"}:        "conc pool.ResultPool.Go",
	{"github.com/sourcegraph/conc/pool", "ResultErrorPool", "Go"}:   "conc pool.ResultErrorPool.Go",
	{"github.com/sourcegraph/conc/pool", "ResultContextPool", "Go"}: "conc pool.ResultContextPool.Go",
}
