package attack

import "net/netip"

// oneAddress is where attacks from a single client come from.
var oneAddress = netip.AddrFrom4([4]byte{127, 66, 6, 6})

// ProxyAddress is an address that a target under test may trust to send PROXY lines. One attack comes from there too:
// what a trusted proxy passes on is still written by strangers.
var ProxyAddress = netip.AddrFrom4([4]byte{127, 99, 9, 9})

// prefixes is how many /24 networks sourceOf has.
const prefixes = 64 << 8

// sourceOf returns the source address of client i. The first 16 384 clients are each in a /24 network of their own, in
// 127.128.0.0/10; honest users live elsewhere.
func sourceOf(i int) netip.Addr {
	network, host := i%prefixes, 1+i/prefixes%254
	return netip.AddrFrom4([4]byte{127, byte(128 + network>>8), byte(network), byte(host)})
}
