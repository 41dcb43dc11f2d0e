// Package target runs the servers that are attacked, each in a process of its own, and watches them from outside: their
// memory and descriptors as the operating system counts them, their goroutines and the requests in their handlers by a
// page on a listener that takes no part in the attack.
package target

import (
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"strings"
)

// Kind is a way to serve the one handler.
type Kind struct {
	Name  string
	About string
	// SpeaksProxy says that it takes PROXY lines where Options say so. Then all its clients send one.
	SpeaksProxy bool
	// Serve serves until the listener fails. It runs in the process of the target and never returns otherwise.
	Serve func(net.Listener, Options, http.Handler) error
}

// Options is what an attack wants the target to speak.
type Options struct {
	// TLS is the configuration to serve with, HTTP/1 and HTTP/2; nil means HTTP/1 without TLS.
	TLS *tls.Config
	// Proxy is set where a target that can should take PROXY lines, from the network of attack.ProxyAddress and nobody else.
	Proxy bool
}

// Limits is what an operator wants of this service, whether or not a target has a way to say so. What is seen from
// outside is held against it.
type Limits struct {
	Conns    int // connections
	Handlers int // requests in handlers
	// PerAddress is how many of those may be of one address.
	PerAddress int
	Memory     int64 // resident bytes
	// Spare is by how many descriptors above Conns a target may be seen: connections on their way to being refused.
	Spare int
}

// Wanted are the limits that every target is measured by.
var Wanted = Limits{Conns: 512, Handlers: 256, PerAddress: 64, Memory: 512 << 20, Spare: 32}

// Kinds are the ways to serve, the ones without protection first.
func Kinds() []Kind { return []Kind{plain, limitListener, endpointTarget} }

// ByName returns the kinds of these names, separated by commas.
func ByName(names string) ([]Kind, error) {
	var found []Kind
next:
	for name := range strings.SplitSeq(names, ",") {
		for _, k := range Kinds() {
			if k.Name == name {
				found = append(found, k)
				continue next
			}
		}
		return nil, fmt.Errorf("no target %q", name)
	}
	return found, nil
}
