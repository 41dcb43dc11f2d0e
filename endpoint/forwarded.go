package endpoint

import (
	"net/http"
	"net/netip"
	"strings"
)

// A ForwardedError says that a request came through trusted proxies whose header does not tell for whom. It is answered
// with 400: to count it as the proxy's own would give every client behind that proxy one limit.
type ForwardedError struct {
	Header string // X-Forwarded-For or Forwarded
	Reason string // one of a fixed set, never what was received
}

func (e *ForwardedError) Error() string { return "endpoint: " + e.Header + ": " + e.Reason }

const (
	headerXForwardedFor = "X-Forwarded-For"
	headerForwarded     = "Forwarded" // RFC 7239

	// maxForwardedHops is how many elements are looked at, empty ones too.
	maxForwardedHops = 32
	// maxForwardedBytes is how long all lines of the header together may be, joined by commas.
	maxForwardedBytes = 4096
)

// forwardedClient returns the address of the client that a request is for, which came from peer. header is the one header
// that the trusted proxies write, headerXForwardedFor or headerForwarded; any other says nothing, since a client can send
// it through.
//
// A peer that is not trusted is the client, whatever the header says. A trusted one has put its own peer last in the
// header; if that is a trusted proxy too, the element before it is as good, and so on. The client is the first address
// from the right that is not trusted; if all are, the leftmost, and peer if there is none.
//
// What stands left of the client is whatever the client has sent, and is not even parsed. So the header is read from its
// end: read from the front, a quote that the client has opened would swallow what the proxy has added. Only the size of
// the whole is bounded, at 4 KiB, and the number of hops at 32. Empty elements are skipped, as RFC 9110 (5.6.1.2) asks.
//
// The error is a *ForwardedError. Nothing is allocated without one, unless a quoted address has escapes in it.
func forwardedClient(h http.Header, header string, peer netip.Addr, trusted prefixSet) (netip.Addr, error) {
	if !trusted.contains(peer) {
		return peer, nil
	}
	lines := h.Values(header)
	size := -len(",")
	for _, line := range lines {
		if size += len(",") + len(line); size > maxForwardedBytes {
			return netip.Addr{}, &ForwardedError{header, "too long"}
		}
	}
	client, hops := peer, 0
	for i := len(lines) - 1; i >= 0; i-- {
		// Several lines are one list. No quotes can reach from one into the next.
		for line, more := lines[i], true; more; {
			var element string
			if header == headerForwarded {
				line, element, more = cutLastForwarded(line)
			} else {
				line, element, more = cutLast(line)
			}
			if hops++; hops > maxForwardedHops {
				return netip.Addr{}, &ForwardedError{header, "too many hops"}
			}
			if element == "" {
				continue
			}
			addr, reason := parseHop(header, element)
			if reason != "" {
				return netip.Addr{}, &ForwardedError{header, reason}
			}
			client = addr
			if !trusted.contains(client) {
				return client, nil
			}
		}
	}
	return client, nil
}

// cutLast cuts the last element off a list, without the spaces and tabs around it. more is false if it was the only one.
func cutLast(list string) (before, element string, more bool) {
	comma := strings.LastIndexByte(list, ',')
	return list[:max(comma, 0)], strings.Trim(list[comma+1:], " \t"), comma >= 0
}

// cutLastForwarded is cutLast for a list in which quoted strings may hold commas.
func cutLastForwarded(list string) (before, element string, more bool) {
	comma := len(list) - 1
	for ; comma >= 0 && list[comma] != ','; comma-- {
		if list[comma] == '"' {
			// Over the quoted string that ends here. If none does, the element is malformed, wherever it is cut.
			comma = openingQuote(list[:comma])
		}
	}
	comma = max(comma, -1)
	return list[:max(comma, 0)], strings.Trim(list[comma+1:], " \t"), comma >= 0
}

// openingQuote returns where the quoted string begins whose text ends s, or -1. A quote is the opening one if it has an
// even number of backslashes before it: within the string they come in pairs, but for the one that escapes a quote, and
// before it stands the =.
func openingQuote(s string) int {
	for {
		quote := strings.LastIndexByte(s, '"')
		if quote < 0 {
			return -1
		}
		s = s[:quote]
		if (quote-len(strings.TrimRight(s, `\`)))%2 == 0 {
			return quote
		}
	}
}

// parseHop returns the address that one element of the header names, or says why there is none.
func parseHop(header, element string) (addr netip.Addr, reason string) {
	if header != headerForwarded {
		return parseNode(element, false)
	}
	node, reason := forParameter(element)
	if reason != "" {
		return addr, reason
	}
	return parseNode(node, true)
}

const (
	malformedElement = "malformed element"
	hiddenHop        = "unknown or obfuscated hop"
)

// forParameter returns the value of the parameter "for" of an element of RFC 7239, which must have one:
//
//	forwarded-element = [ forwarded-pair ] *( ";" [ forwarded-pair ] )
//	forwarded-pair    = token "=" ( token / quoted-string )
func forParameter(element string) (value, reason string) {
	found := false
	for rest := element; ; rest = rest[1:] {
		if name := rest[:tokenLen(rest)]; name != "" {
			after, ok := strings.CutPrefix(rest[len(name):], "=")
			if !ok {
				return "", malformedElement
			}
			text, after, ok := cutValue(after)
			if !ok {
				return "", malformedElement
			}
			if strings.EqualFold(name, "for") {
				if found {
					return "", malformedElement // which of the two is meant?
				}
				found, value = true, text
			}
			rest = after
		}
		if rest == "" {
			break
		}
		if rest[0] != ';' {
			return "", malformedElement
		}
	}
	if !found {
		return "", "element without for"
	}
	return value, ""
}

// tokenLen returns the length of the token that s begins with, 0 for none.
func tokenLen(s string) int {
	for i := range len(s) {
		c := s[i]
		switch {
		case isAlphanumeric(c):
		case strings.IndexByte("!#$%&'*+-.^_`|~", c) >= 0:
		default:
			return i
		}
	}
	return len(s)
}

func isAlphanumeric(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
}

// cutValue cuts a token or a quoted string off the front of s, and returns it without quotes and escapes.
func cutValue(s string) (value, after string, ok bool) {
	if !strings.HasPrefix(s, `"`) {
		size := tokenLen(s)
		return s[:size], s[size:], size > 0
	}
	escaped := false
	for i := 1; i < len(s); i++ {
		if s[i] == '"' {
			value = s[1:i]
			if escaped {
				value = unescaped(value)
			}
			return value, s[i+1:], true
		}
		if s[i] == '\\' {
			escaped = true
			i++
		}
		if i < len(s) && !isQuotable(s[i]) {
			break
		}
	}
	return "", "", false
}

// isQuotable reports whether c may stand in a quoted string: anything but control characters.
func isQuotable(c byte) bool { return c == '\t' || c >= ' ' && c != 0x7f }

// unescaped returns the text of a good quoted string without its escapes.
func unescaped(text string) string {
	plain := make([]byte, 0, len(text))
	for i := 0; i < len(text); i++ {
		if text[i] == '\\' {
			i++
		}
		plain = append(plain, text[i])
	}
	return string(plain)
}

// parseNode returns the address of a node: an IPv4 address, or an IPv6 address in brackets, with a port or without. RFC
// 7239 knows obfuscated ports besides. X-Forwarded-For knows bare IPv6 addresses: no address has one colon alone, so that
// none can be mistaken for one with a port.
func parseNode(node string, rfc7239 bool) (addr netip.Addr, reason string) {
	name, port, hasPort := node, "", false
	bracketed := strings.HasPrefix(node, "[")
	if bracketed {
		in, after, closed := strings.Cut(node[1:], "]")
		name = in
		port, hasPort = strings.CutPrefix(after, ":")
		if !closed || after != "" && !hasPort {
			return addr, malformedElement
		}
	} else if strings.Count(node, ":") == 1 {
		name, port, hasPort = strings.Cut(node, ":")
	}
	if hasPort && !isPort(port) && !(rfc7239 && isObfuscated(port)) {
		return addr, malformedElement
	}
	if !bracketed && (isObfuscated(name) || strings.EqualFold(name, "unknown")) {
		return addr, hiddenHop
	}
	// A zone means nothing on another machine. It is refused before it is parsed, which would keep it.
	if strings.Contains(name, "%") {
		return addr, "address with a zone"
	}
	addr, err := netip.ParseAddr(name)
	if err != nil || addr.Is4() && bracketed || addr.Is6() && !bracketed && rfc7239 {
		return netip.Addr{}, malformedElement
	}
	return addr.Unmap(), ""
}

// isPort reports whether s is a port number. RFC 7239 does not forbid leading zeros.
func isPort(s string) bool {
	number := 0
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
		number = number*10 + int(s[i]-'0')
	}
	return 1 <= len(s) && len(s) <= 5 && number <= 65535
}

// isObfuscated reports whether s is an identifier or a port of RFC 7239 (6.3) that means something to its proxy only.
func isObfuscated(s string) bool {
	if len(s) < 2 || s[0] != '_' {
		return false
	}
	for i := range len(s) {
		if c := s[i]; !isAlphanumeric(c) && c != '.' && c != '_' && c != '-' {
			return false
		}
	}
	return true
}
