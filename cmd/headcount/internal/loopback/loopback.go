// Package loopback gives the users and the attackers of the demo addresses of their own, so that an application which
// tells clients apart by their addresses can do so: 127.0.0.0/8 is one machine with sixteen million addresses.
package loopback

import (
	"net"
	"sync"
)

// From gives the i-th address of somebody, nil for any. Those of a block of 256 are neighbours: they share a /24.
type From func(i int) net.Addr

// Blocks of addresses: the second byte. An attack has one for itself.
const (
	Honest  = 1
	Attacks = 16
)

// Addresses gives the addresses of a block. Where the system has 127.0.0.1 only, it gives nil.
func Addresses(block int) From {
	if !Many() {
		return nil
	}
	return func(i int) net.Addr {
		return &net.TCPAddr{IP: net.IPv4(127, byte(block), byte(i>>8), byte(i))}
	}
}

// Apart gives addresses of which no two are neighbours.
func (f From) Apart() From {
	if f == nil {
		return nil
	}
	return func(i int) net.Addr { return f(256*i + 1) }
}

// Addr gives the i-th address, nil for any.
func (f From) Addr(i int) net.Addr {
	if f == nil {
		return nil
	}
	return f(i)
}

// Many reports whether all of 127.0.0.0/8 is this machine's: on Linux and Windows, but not on macOS and the BSDs.
var Many = sync.OnceValue(func() bool {
	l, err := net.Listen("tcp", "127.200.200.200:0")
	if err != nil {
		return false
	}
	l.Close()
	return true
})
