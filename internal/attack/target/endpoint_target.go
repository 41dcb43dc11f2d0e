package target

// The third kind is Headcount's own package endpoint. Its Kind belongs into this file, and its variable into Kinds:
//
//	var endpointTarget = Kind{Name: "endpoint", About: "Headcount's `endpoint`", Serve: serveEndpoint}
//
// serveEndpoint(l, o, h) has to configure
//
//   - the listener l, which is open already, with o.TLS where that is not nil (HTTP/1 and HTTP/2);
//   - the limits that every target is measured by: Wanted.Conns connections and Wanted.Handlers requests in handlers;
//   - limits per address and per prefix well below those: attackers use one address (conn-flood-one, forwarded-spoof),
//     20 to 100 addresses, or up to 1000 in networks of their own (conn-flood-many). Honest users come from eight
//     addresses in networks of their own, 127.1.N.1, and use up to a dozen connections each, most of them short;
//   - User as the function that tells key and class of a request: proven users have a share of the limits that others
//     cannot take;
//   - PROXY lines from attack.ProxyAddress only, where o.Proxy is set. Connections of honest users have none. X-Forwarded-For and
//     Forwarded are believed from nobody;
//   - deadlines that are short beside the length of an attack (the quick mode attacks for 3 s), or the proof takes the
//     full mode: 1 s for handshake and headers, 1 KiB/s after 1 s for bodies and responses, 1 s without a request.
//
// It must leave SSE (GET /events) and websockets (GET /ws, which hijacks) of proven users alone for as long as they live.
