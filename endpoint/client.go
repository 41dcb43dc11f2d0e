package endpoint

import (
	"fmt"
	"net"
	"net/netip"
	"strings"
)

// clientKey returns the address that a client's connections are counted by. One IPv4 client has one address, whichever of
// its two forms the socket gave. One IPv6 client has a /64 and can take a new address in it for each connection, so the
// whole /64 is one key, as its first address. The zero Addr stays the zero Addr.
func clientKey(a netip.Addr) netip.Addr {
	a = a.Unmap()
	if a.Is4() {
		return a
	}
	p, _ := a.Prefix(64) // cannot fail: a is IPv6, or invalid, for which it gives the zero Prefix
	return p.Addr()
}

// clientPrefix returns the neighbourhood of a client, for the limit that holds one network as a whole: the /24 of an IPv4
// address, the /48 of an IPv6 one, which is what a site is commonly given. An invalid address has the zero Prefix.
func clientPrefix(a netip.Addr) netip.Prefix {
	a = a.Unmap()
	bits := 48
	if a.Is4() {
		bits = 24
	}
	p, _ := a.Prefix(bits)
	return p
}

// addrOf returns the IP address and port of a connection's end, an IPv4 address always as IPv4; the zero AddrPort if it
// has none, as the end of a Unix socket.
func addrOf(a net.Addr) netip.AddrPort {
	var ap netip.AddrPort
	switch a := a.(type) {
	case nil:
	case *net.TCPAddr:
		ap = a.AddrPort()
	default:
		// A client may bind its end of a Unix socket to a path such as "127.0.0.1:80".
		if strings.HasPrefix(a.Network(), "unix") {
			break
		}
		ap, _ = netip.ParseAddrPort(a.String())
	}
	if !ap.Addr().IsValid() {
		return netip.AddrPort{}
	}
	return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port())
}

// A prefixSet is a set of addresses, told by the prefixes that cover them. It is searched from front to back: it is meant
// for the few dozen prefixes that a person writes into a configuration.
type prefixSet []netip.Prefix

// parsePrefixes returns the set of what texts cover together: prefixes such as "10.0.0.0/8", and lone addresses. A
// prefix of IPv4-mapped IPv6 addresses is taken as the IPv4 prefix it stands for. IPv4 addresses are covered by IPv4
// prefixes only: "::/0" covers none.
func parsePrefixes(texts []string) (prefixSet, error) {
	set := make(prefixSet, 0, len(texts))
	for i, text := range texts {
		p, problem := parsePrefix(text)
		if problem != "" {
			return nil, fmt.Errorf("prefix %d, %q: %s", i, text, problem)
		}
		set = append(set, p)
	}
	return set, nil
}

// parsePrefix returns a prefix without host bits, or says what is wrong with text.
func parsePrefix(text string) (p netip.Prefix, problem string) {
	if strings.Contains(text, "%") {
		return p, "zones are not supported"
	}
	if !strings.Contains(text, "/") {
		a, err := netip.ParseAddr(text)
		if err != nil {
			return p, "not an address, nor a prefix such as 10.0.0.0/8"
		}
		a = a.Unmap()
		return netip.PrefixFrom(a, a.BitLen()), ""
	}
	p, err := netip.ParsePrefix(text)
	if err != nil {
		return netip.Prefix{}, "not a prefix such as 10.0.0.0/8 or 2001:db8::/32"
	}
	// Below /96 it is an IPv6 prefix with host bits, and refused as such.
	if a := p.Addr(); a.Is4In6() && p.Bits() >= 96 {
		p = netip.PrefixFrom(a.Unmap(), p.Bits()-96)
	}
	if masked := p.Masked(); masked != p {
		return netip.Prefix{}, "has bits set beyond the prefix; write " + masked.String()
	}
	return p, ""
}

// contains reports whether the set covers a, in any zone. It covers no invalid address.
func (s prefixSet) contains(a netip.Addr) bool {
	a = a.Unmap().WithZone("") // Prefix.Contains finds neither mapped nor zoned addresses
	for _, p := range s {
		if p.Contains(a) {
			return true
		}
	}
	return false
}
