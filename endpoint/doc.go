// Package endpoint is the front door of a service: HTTP and TCP servers whose connections and requests are supervised
// children with exact limits, hardened by default, so that a flood costs the attacker more than the service. It imports
// the standard library only.
//
//	app := headcount.NewSupervisor("myapp", headcount.SupervisorConfig{},
//		endpoint.New("web", ":8080", handler, endpoint.Limits{Conns: 20_000, ConnsPerClient: 64}),
//	)
//
// # Layers
//
// A connection or request passes the cheapest check first, and each refusal has its reason.
//
//	accept    connections: all, of a client (IPv4 address, IPv6 /64), of its neighbours (/24, /48), descriptors left
//	bytes     the time for a handshake, a header, a body, a response; least rates for both; sizes; HTTP/2 resets
//	requests  in flight: all, of a client, of an identity by [KeyFunc], of a [Route]; classes by [PriorityFunc]
//	starts    new connections and requests of a client per second; a short wait for room
//
// What a person may want to change while it runs is a [headcount.Limit]. The limits of the supervisors are those of
// [Endpoint.Conns] and [Endpoint.Requests], the others those of the gates ([Endpoint.Gate]). All are in the Tree, with
// what they have refused. [Observe] has a layer count what it would refuse, and refuse nothing.
//
// # Answers
//
// A refused connection is reset, or gets a constant 503 with [Answer503]. A refused request is answered with 429 if its
// client or identity has enough, else with 503, with Retry-After, and with the reason in the header Headcount-Reason:
// the word that is in the events and counts too. The connection is not held by a body that nobody reads.
//
// # Parts
//
// [LimitHandler] is the layers of requests and starts for any http.Handler behind any server. [Listener] is the layer of
// connections for any server that takes a net.Listener: net/http's, or that of gRPC.
package endpoint
