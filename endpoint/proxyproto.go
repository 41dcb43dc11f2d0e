package endpoint

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"io"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// A proxyHeader is what a proxy says of a connection it passes on, in a header of the PROXY protocol, version 1 or 2,
// before the first byte of the client's. It follows haproxy's doc/proxy-protocol.txt.
type proxyHeader struct {
	Source, Destination netip.AddrPort // of the connection between the client and the proxy
	// Local says that the header names no addresses, and that the connection's own are to be used: the proxy speaks for
	// itself (LOCAL, as in a health check), or for a client of which it has none (UNKNOWN, AF_UNSPEC, AF_UNIX).
	Local bool

	rest []byte // what was read beyond the header: the first bytes of the client's
}

// A ProxyHeaderError says that a connection from a proxy does not begin with a header of the PROXY protocol. The
// connection is closed: nothing that follows can be believed.
type ProxyHeaderError struct {
	Reason string // one of a fixed set, never what was received
}

func (e *ProxyHeaderError) Error() string { return "endpoint: PROXY header: " + e.Reason }

const (
	proxyV1Prefix    = "PROXY "
	proxyV2Signature = "\r\n\r\n\x00\r\nQUIT\n"

	// maxProxyV1 is the longest line of version 1, and no more than that is asked for until the version is known.
	maxProxyV1 = 107
	// proxyV2Fixed is the part of version 2 that is always there: signature, command, family, length of the tail.
	proxyV2Fixed = 16
	// maxProxyTail bounds the addresses and TLVs of version 2. The length field allows for 65535; but the protocol asks
	// for a header within one segment, and even one with a client's certificate name is well below.
	maxProxyTail = 4096
)

// readProxyHeader reads a header from r, in however many pieces it comes, and no more than 107 bytes for version 1 or
// 16+maxProxyTail for version 2; bytes beyond the header are in rest. It never holds much more than twice what it has
// received, whatever the header claims to be. It blocks as r does: the caller sets a deadline.
//
// The error is a *ProxyHeaderError, or that of r; io.EOF as such only if nothing came at all, which is how some health
// checks look.
func readProxyHeader(r io.Reader) (proxyHeader, error) {
	in := proxyInput{r: r, buf: make([]byte, 0, maxProxyV1)}
	// The first byte that cannot belong to a header ends the wait for more.
	for {
		if err := in.more(maxProxyV1); err != nil {
			return proxyHeader{}, err
		}
		switch {
		case begins(in.buf, proxyV2Signature):
			if len(in.buf) >= len(proxyV2Signature) {
				return readProxyV2(&in)
			}
		case begins(in.buf, proxyV1Prefix):
			if len(in.buf) >= len(proxyV1Prefix) {
				return readProxyV1(&in)
			}
		default:
			return proxyHeader{}, &ProxyHeaderError{"no signature"}
		}
	}
}

// begins reports whether prefix begins with b or b with prefix.
func begins(b []byte, prefix string) bool {
	n := min(len(b), len(prefix))
	return string(b[:n]) == prefix[:n]
}

// A proxyInput holds what has been read of a connection that begins with a header.
type proxyInput struct {
	r   io.Reader
	buf []byte
}

// more reads at least one byte more, and at most until there are n. It is not called when there are.
func (in *proxyInput) more(n int) error {
	if len(in.buf) == cap(in.buf) {
		in.buf = slices.Grow(in.buf, min(len(in.buf), n-len(in.buf)))
	}
	for {
		got, err := in.r.Read(in.buf[len(in.buf):min(n, cap(in.buf))])
		in.buf = in.buf[:len(in.buf)+got]
		switch {
		case got > 0:
			return nil // an error will come again, if it matters
		case err == io.EOF && len(in.buf) > 0:
			return &ProxyHeaderError{"ends early"}
		case err != nil:
			return err
		}
	}
}

// rest returns what lies beyond the first n bytes, nil for nothing.
func (in *proxyInput) rest(n int) []byte {
	if len(in.buf) == n {
		return nil
	}
	return in.buf[n:]
}

// readProxyV1 reads a line such as "PROXY TCP4 192.0.2.7 198.51.100.1 56324 443\r\n".
func readProxyV1(in *proxyInput) (proxyHeader, error) {
	for {
		// The first CR or LF must be the end: neither may stand alone, not even in what is ignored.
		switch i := bytes.IndexAny(in.buf, "\r\n"); {
		case i >= 0 && in.buf[i] == '\n':
			return proxyHeader{}, &ProxyHeaderError{"line does not end in CRLF"}
		case i >= 0 && i+1 < len(in.buf):
			if in.buf[i+1] != '\n' {
				return proxyHeader{}, &ProxyHeaderError{"line does not end in CRLF"}
			}
			header, reason := parseProxyV1(string(in.buf[len(proxyV1Prefix):i]))
			if reason != "" {
				return proxyHeader{}, &ProxyHeaderError{reason}
			}
			header.rest = in.rest(i + 2)
			return header, nil
		case len(in.buf) >= maxProxyV1:
			return proxyHeader{}, &ProxyHeaderError{"line too long"}
		}
		if err := in.more(maxProxyV1); err != nil {
			return proxyHeader{}, err
		}
	}
}

// parseProxyV1 parses a line without its "PROXY " and CRLF, or says what is wrong with it. Being of this version, it has
// exactly one way to say what it says, but for the forms of an IPv6 address.
func parseProxyV1(line string) (proxyHeader, string) {
	family, addresses, _ := strings.Cut(line, " ")
	var is4 bool
	switch family {
	case "UNKNOWN":
		return proxyHeader{Local: true}, "" // whatever follows is to be ignored
	case "TCP4":
		is4 = true
	case "TCP6":
	default:
		return proxyHeader{}, "unknown protocol"
	}
	var fields [4]string // source, destination, their ports
	for i := range fields {
		field, after, found := strings.Cut(addresses, " ")
		if found != (i < len(fields)-1) {
			return proxyHeader{}, "wrong number of fields"
		}
		fields[i], addresses = field, after
	}
	var ends [2]netip.AddrPort
	for i := range ends {
		addr, err := netip.ParseAddr(fields[i])
		if err != nil || addr.Is4() != is4 || addr.Zone() != "" {
			return proxyHeader{}, "bad address"
		}
		port, err := strconv.ParseUint(fields[2+i], 10, 16)
		if err != nil || strconv.FormatUint(port, 10) != fields[2+i] {
			return proxyHeader{}, "bad port"
		}
		ends[i] = netip.AddrPortFrom(addr.Unmap(), uint16(port))
	}
	return proxyHeader{Source: ends[0], Destination: ends[1]}, ""
}

// readProxyV2 reads the binary header.
func readProxyV2(in *proxyInput) (proxyHeader, error) {
	for len(in.buf) < proxyV2Fixed {
		if err := in.more(maxProxyV1); err != nil {
			return proxyHeader{}, err
		}
	}
	tail := int(binary.BigEndian.Uint16(in.buf[14:]))
	form, reason := proxyV2FormOf(in.buf[12], in.buf[13])
	switch {
	case reason != "":
		return proxyHeader{}, &ProxyHeaderError{reason}
	case tail > maxProxyTail:
		return proxyHeader{}, &ProxyHeaderError{"too long"}
	case tail < form.addresses:
		return proxyHeader{}, &ProxyHeaderError{"too short for its addresses"}
	}
	size := proxyV2Fixed + tail
	for len(in.buf) < size {
		if err := in.more(size); err != nil {
			return proxyHeader{}, err
		}
	}
	header, reason := parseProxyV2(in.buf[:size], form)
	if reason != "" {
		return proxyHeader{}, &ProxyHeaderError{reason}
	}
	header.rest = in.rest(size)
	return header, nil
}

// A proxyV2Form is what the command and the family of a binary header say about its tail.
type proxyV2Form struct {
	addresses int  // their size in bytes, ports included
	ip        int  // the size of one IP address, 0 if there is none
	opaque    bool // the tail as a whole is to be skipped
}

func proxyV2FormOf(command, family byte) (form proxyV2Form, reason string) {
	switch {
	case command>>4 != 2:
		return form, "unknown version"
	case command&0xf == 0: // LOCAL, of which the family is to be ignored too
		return proxyV2Form{opaque: true}, ""
	case command&0xf != 1: // PROXY
		return form, "unknown command"
	}
	// The only pairs of a family and a transport that the protocol expects. A datagram's addresses are as good as a
	// stream's: a proxy may have got them by QUIC.
	switch family {
	case 0x00: // AF_UNSPEC: addresses, if any, have no known size, so that TLVs cannot be found behind them
		return proxyV2Form{opaque: true}, ""
	case 0x11, 0x12: // AF_INET
		return proxyV2Form{addresses: 2*4 + 2*2, ip: 4}, ""
	case 0x21, 0x22: // AF_INET6
		return proxyV2Form{addresses: 2*16 + 2*2, ip: 16}, ""
	case 0x31, 0x32: // AF_UNIX
		return proxyV2Form{addresses: 2 * 108}, ""
	}
	return form, "unknown family or transport"
}

// parseProxyV2 parses the whole of a header, whose tail is at least as long as form says.
func parseProxyV2(whole []byte, form proxyV2Form) (header proxyHeader, reason string) {
	if form.opaque {
		return proxyHeader{Local: true}, ""
	}
	if reason := checkProxyTLVs(whole, proxyV2Fixed+form.addresses); reason != "" {
		return proxyHeader{}, reason
	}
	if form.ip == 0 {
		return proxyHeader{Local: true}, ""
	}
	var ends [2]netip.AddrPort
	addrs := whole[proxyV2Fixed:]
	ports := addrs[2*form.ip:]
	for i := range ends {
		addr, _ := netip.AddrFromSlice(addrs[i*form.ip:][:form.ip])
		ends[i] = netip.AddrPortFrom(addr.Unmap(), binary.BigEndian.Uint16(ports[2*i:]))
	}
	return proxyHeader{Source: ends[0], Destination: ends[1]}, ""
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// checkProxyTLVs walks the TLVs, which fill whole from start on exactly, and checks the checksum of the header if one of
// them holds it.
func checkProxyTLVs(whole []byte, start int) (reason string) {
	const crc32c = 0x03
	sum := 0 // where the checksum is
	for at := start; at < len(whole); {
		if len(whole)-at < 3 {
			return "cut TLV"
		}
		kind, size := whole[at], int(binary.BigEndian.Uint16(whole[at+1:]))
		at += 3
		if size > len(whole)-at {
			return "TLV longer than the header"
		}
		if kind == crc32c {
			if size != 4 || sum != 0 {
				return "bad checksum TLV"
			}
			sum = at
		}
		at += size
	}
	if sum == 0 {
		return ""
	}
	// The checksum is that of the header with four zeros in its own place.
	got := crc32.Update(0, castagnoli, whole[:sum])
	got = crc32.Update(got, castagnoli, make([]byte, 4))
	got = crc32.Update(got, castagnoli, whole[sum+4:])
	if got != binary.BigEndian.Uint32(whole[sum:]) {
		return "wrong checksum"
	}
	return ""
}
