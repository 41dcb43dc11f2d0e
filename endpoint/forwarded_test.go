package endpoint

import (
	"errors"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// trustedProxies are those of the tests here.
var trustedProxies = prefixSet{
	netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("127.0.0.1/32"), netip.MustParsePrefix("2001:db8:a::/48"),
}

// A forwardedTest is what a trusted peer, 10.0.0.1, sends, and what is made of it.
type forwardedTest struct {
	lines  []string
	client string
	reason string // if there is no client
}

func testForwarded(t *testing.T, header string, tests []forwardedTest) {
	t.Helper()
	peer := netip.MustParseAddr("10.0.0.1")
	for _, test := range tests {
		got, err := forwardedClient(http.Header{header: test.lines}, header, peer, trustedProxies)
		if test.reason != "" {
			var refused *ForwardedError
			if !errors.As(err, &refused) || refused.Header != header || !strings.Contains(refused.Reason, test.reason) || got.IsValid() {
				t.Errorf("%.80q: got %s, %v, want an error that speaks of %s", test.lines, got, err, test.reason)
			}
			continue
		}
		if want := netip.MustParseAddr(test.client); err != nil || got != want {
			t.Errorf("%.80q: got %s, %v, want %s", test.lines, got, err, want)
		}
	}
}

func TestXForwardedForNamesTheFirstUntrustedAddressFromTheRight(t *testing.T) {
	testForwarded(t, headerXForwardedFor, []forwardedTest{
		{nil, "10.0.0.1", ""}, // the proxy's own request
		{[]string{""}, "10.0.0.1", ""},
		{[]string{"192.0.2.7"}, "192.0.2.7", ""},
		{[]string{"192.0.2.7, 10.0.0.2"}, "192.0.2.7", ""},
		{[]string{"192.0.2.7,10.0.0.2,127.0.0.1"}, "192.0.2.7", ""},
		{[]string{"192.0.2.7", "10.0.0.2", "127.0.0.1"}, "192.0.2.7", ""},
		{[]string{"198.51.100.1, 192.0.2.7", "10.0.0.2"}, "192.0.2.7", ""},
		{[]string{"10.0.0.4, 10.0.0.3, 10.0.0.2"}, "10.0.0.4", ""}, // from within
		{[]string{"10.0.0.4", "", "10.0.0.2"}, "10.0.0.4", ""},
		{[]string{"2001:db8:b::7"}, "2001:db8:b::7", ""},
		{[]string{"2001:db8:b::7, 2001:db8:a::1"}, "2001:db8:b::7", ""},
		{[]string{"[2001:db8:b::7]"}, "2001:db8:b::7", ""},
		{[]string{"[2001:db8:b::7]:51442"}, "2001:db8:b::7", ""},
		{[]string{"192.0.2.7:51442"}, "192.0.2.7", ""}, // Azure
		{[]string{"192.0.2.7:51442, 10.0.0.2:80"}, "192.0.2.7", ""},
		{[]string{"::ffff:192.0.2.7, ::ffff:10.0.0.2"}, "192.0.2.7", ""},
		{[]string{"[::ffff:192.0.2.7]:443"}, "192.0.2.7", ""},
		{[]string{", 192.0.2.7"}, "192.0.2.7", ""}, // nginx with an empty header from its client
		{[]string{"192.0.2.7,"}, "192.0.2.7", ""},
		{[]string{"192.0.2.7, , ,\t10.0.0.2 ,"}, "192.0.2.7", ""},
		{[]string{"\t 192.0.2.7 \t"}, "192.0.2.7", ""},
	})
}

func TestWhatTheClientPutsIntoXForwardedForIsNotBelieved(t *testing.T) {
	testForwarded(t, headerXForwardedFor, []forwardedTest{
		{[]string{"127.0.0.1, 192.0.2.7"}, "192.0.2.7", ""},
		{[]string{"10.0.0.9, 192.0.2.7, 10.0.0.2"}, "192.0.2.7", ""},
		{[]string{"127.0.0.1, , 192.0.2.7"}, "192.0.2.7", ""},
		{[]string{"127.0.0.1", "192.0.2.7"}, "192.0.2.7", ""},
		{[]string{"127.0.0.1,", ",192.0.2.7"}, "192.0.2.7", ""},
		{[]string{"127.0.0.1", "", " , 192.0.2.7, 10.0.0.2"}, "192.0.2.7", ""},
		{[]string{"127.0.0.1\r\nX-Forwarded-For: 127.0.0.1, 192.0.2.7"}, "192.0.2.7", ""},
		{[]string{"\"127.0.0.1, 192.0.2.7"}, "192.0.2.7", ""},
		{[]string{"<script>, \x00\xff, unknown, _x, 192.0.2.7"}, "192.0.2.7", ""},
		{[]string{strings.Repeat("127.0.0.1, ", 300) + "192.0.2.7"}, "192.0.2.7", ""},
		{[]string{strings.Repeat(",", 4000) + "192.0.2.7"}, "192.0.2.7", ""},
	})
}

func TestAnXForwardedForThatATrustedProxyCannotHaveMeantIsAnError(t *testing.T) {
	hops := strings.Repeat("10.0.0.2, ", 31) + "10.0.0.2"
	testForwarded(t, headerXForwardedFor, []forwardedTest{
		{[]string{"unknown"}, "", "unknown"}, // Squid
		{[]string{"192.0.2.7, Unknown, 10.0.0.2"}, "", "unknown"},
		{[]string{"_hidden"}, "", "obfuscated"},
		{[]string{"_hidden:80, 10.0.0.2"}, "", "obfuscated"},
		{[]string{"localhost"}, "", "malformed"},
		{[]string{"192.0.2"}, "", "malformed"},
		{[]string{"192.0.2.07"}, "", "malformed"},
		{[]string{"3221225991"}, "", "malformed"}, // 192.0.2.7 as one number
		{[]string{"0xc0.0.2.7"}, "", "malformed"},
		{[]string{"192.0.2.7/32"}, "", "malformed"},
		{[]string{"192.0.2.7 10.0.0.2"}, "", "malformed"},
		{[]string{"192.0.2.7;10.0.0.2"}, "", "malformed"},
		{[]string{`"192.0.2.7"`}, "", "malformed"},
		{[]string{"for=192.0.2.7"}, "", "malformed"},
		{[]string{"192.0.2.7:"}, "", "malformed"},
		{[]string{":80"}, "", "malformed"},
		{[]string{"192.0.2.7:65536"}, "", "malformed"},
		{[]string{"192.0.2.7:000080"}, "", "malformed"},
		{[]string{"192.0.2.7:+80"}, "", "malformed"},
		{[]string{"192.0.2.7:_port"}, "", "malformed"},
		{[]string{"192.0.2.7:80:80"}, "", "malformed"},
		{[]string{"[192.0.2.7]"}, "", "malformed"},
		{[]string{"[2001:db8:b::7"}, "", "malformed"},
		{[]string{"2001:db8:b::7]"}, "", "malformed"},
		{[]string{"[2001:db8:b::7]80"}, "", "malformed"},
		{[]string{"[2001:db8:b::7]:"}, "", "malformed"},
		{[]string{"[]"}, "", "malformed"},
		{[]string{"["}, "", "malformed"},
		{[]string{"[_x]"}, "", "malformed"},
		{[]string{"[unknown]"}, "", "malformed"},
		{[]string{"fe80::1%eth0"}, "", "zone"},
		{[]string{"[fe80::1%25eth0]:80"}, "", "zone"},
		{[]string{"::ffff:192.0.2.7%eth0"}, "", "zone"},
		{[]string{"\u0661\u0669\u0662.0.2.7"}, "", "malformed"}, // Arabic-Indic digits
		{[]string{"１９２.0.2.7"}, "", "malformed"},                // full-width digits
		{[]string{"192.0.2.7\u00a0"}, "", "malformed"},          // a space that is none here
		{[]string{"192.0.2.7\v"}, "", "malformed"},
		{[]string{"192.0.2.7\x00"}, "", "malformed"},
		{[]string{"10.0.0.2\r\n"}, "", "malformed"},
		{[]string{hops}, "10.0.0.2", ""},
		{[]string{"192.0.2.7, " + hops}, "", "too many hops"},
		{[]string{"192.0.2.7", hops}, "", "too many hops"},
		{[]string{strings.Repeat(",", 31) + "10.0.0.2"}, "10.0.0.2", ""},
		{[]string{strings.Repeat(",", 40)}, "", "too many hops"},
		{[]string{strings.Repeat("x", 4096-len(",192.0.2.7")) + ",192.0.2.7"}, "192.0.2.7", ""},
		{[]string{strings.Repeat("x", 4097-len(",192.0.2.7")) + ",192.0.2.7"}, "", "too long"},
		{[]string{strings.Repeat("x", 4096-len(",192.0.2.7")), "192.0.2.7"}, "192.0.2.7", ""},
		{[]string{strings.Repeat("x", 4097-len(",192.0.2.7")), "192.0.2.7"}, "", "too long"},
		{append(make([]string, 5000), "192.0.2.7"), "", "too long"},
	})
}

func TestForwardedNamesTheFirstUntrustedAddressFromTheRight(t *testing.T) {
	testForwarded(t, headerForwarded, []forwardedTest{
		{nil, "10.0.0.1", ""},
		{[]string{""}, "10.0.0.1", ""},
		{[]string{"for=192.0.2.60;proto=http;by=203.0.113.43"}, "192.0.2.60", ""}, // RFC 7239, 4
		{[]string{`For="[2001:db8:cafe::17]:4711"`}, "2001:db8:cafe::17", ""},
		{[]string{"for=192.0.2.43, for=198.51.100.17"}, "198.51.100.17", ""},
		{[]string{"for=192.0.2.43, for=10.0.0.2"}, "192.0.2.43", ""},
		{[]string{`for=192.0.2.43,for="[2001:db8:a::17]"`}, "192.0.2.43", ""},
		{[]string{"for=192.0.2.43", `for="[2001:db8:a::17]";by=_x`}, "192.0.2.43", ""},
		{[]string{`for="192.0.2.43:47011"`}, "192.0.2.43", ""},
		{[]string{`for="192.0.2.43:_port"`}, "192.0.2.43", ""},
		{[]string{`for="[2001:db8:b::7]:_p.o-r_t"`}, "2001:db8:b::7", ""},
		{[]string{`for="192.0.2.43"`}, "192.0.2.43", ""},
		{[]string{`for="\192.0.\2.43"`}, "192.0.2.43", ""},
		{[]string{`for="[::ffff:192.0.2.43]"`}, "192.0.2.43", ""},
		{[]string{`FOR=192.0.2.43;Proto=https`}, "192.0.2.43", ""},
		{[]string{`host="a,b;c=\"for=127.0.0.1\", for=127.0.0.1";for=192.0.2.43, for=10.0.0.2`}, "192.0.2.43", ""},
		{[]string{`for=192.0.2.43;host="\\", for=10.0.0.2;host="\\\""`}, "192.0.2.43", ""},
		{[]string{`for=192.0.2.43;host=""`}, "192.0.2.43", ""},
		{[]string{";;for=192.0.2.43;;"}, "192.0.2.43", ""},
		{[]string{"for=192.0.2.43, , for=10.0.0.2,\t"}, "192.0.2.43", ""},
		{[]string{"for=10.0.0.3,for=10.0.0.2"}, "10.0.0.3", ""},
	})
}

func TestWhatTheClientPutsIntoForwardedIsNotBelieved(t *testing.T) {
	testForwarded(t, headerForwarded, []forwardedTest{
		{[]string{"for=127.0.0.1, for=192.0.2.7"}, "192.0.2.7", ""},
		{[]string{"for=127.0.0.1", "for=192.0.2.7"}, "192.0.2.7", ""},
		{[]string{"for=127.0.0.1;, for=192.0.2.7"}, "192.0.2.7", ""},
		// A quote left open to swallow what the proxy adds.
		{[]string{`for="127.0.0.1, for=192.0.2.7`}, "192.0.2.7", ""},
		{[]string{`for="127.0.0.1, for="192.0.2.7"`}, "192.0.2.7", ""},
		{[]string{`for=127.0.0.1;x="`, `for="192.0.2.7";by="10.0.0.1"`}, "192.0.2.7", ""},
		{[]string{`for=127.0.0.1;x="\, for="192.0.2.7"`}, "192.0.2.7", ""},
		{[]string{`for=127.0.0.1;x=\", for="[2001:db8:b::7]:80";by="10.0.0.1:80", for=10.0.0.2`}, "2001:db8:b::7", ""},
		{[]string{`for=_x, for=unknown, nonsense, for=192.0.2.7`}, "192.0.2.7", ""},
	})
}

func TestAForwardedThatATrustedProxyCannotHaveMeantIsAnError(t *testing.T) {
	testForwarded(t, headerForwarded, []forwardedTest{
		{[]string{"for=unknown"}, "", "unknown"},
		{[]string{"for=_hidden, for=10.0.0.2"}, "", "obfuscated"},
		{[]string{"for=_SEVKISEK"}, "", "obfuscated"},
		{[]string{`for="_gazonk:80"`}, "", "obfuscated"},
		{[]string{`for="unknown:_x"`}, "", "unknown"},
		{[]string{"by=10.0.0.1;proto=https"}, "", "without for"},
		{[]string{";"}, "", "without for"},
		{[]string{"192.0.2.7"}, "", "malformed"},
		{[]string{"for"}, "", "malformed"},
		{[]string{"for="}, "", "malformed"},
		{[]string{`for=""`}, "", "malformed"},
		{[]string{"=192.0.2.7"}, "", "malformed"},
		{[]string{"for =192.0.2.7"}, "", "malformed"},
		{[]string{"for= 192.0.2.7"}, "", "malformed"},
		{[]string{"for=192.0.2.7; proto=https"}, "", "malformed"},
		{[]string{"for=192.0.2.7 proto=https"}, "", "malformed"},
		{[]string{"for=192.0.2.7:80"}, "", "malformed"}, // needs quotes
		{[]string{"for=[2001:db8:b::7]"}, "", "malformed"},
		{[]string{`for="2001:db8:b::7"`}, "", "malformed"},
		{[]string{`for="[192.0.2.7]"`}, "", "malformed"},
		{[]string{`for="192.0.2.7:_"`}, "", "malformed"},
		{[]string{`for="192.0.2.7:_a b"`}, "", "malformed"},
		{[]string{`for="192.0.2.7:99999"`}, "", "malformed"},
		{[]string{`for="[fe80::1%eth0]"`}, "", "zone"},
		{[]string{"for=192.0.2.7;for=10.0.0.2"}, "", "malformed"},
		{[]string{"for=192.0.2.7;FOR=192.0.2.7"}, "", "malformed"},
		{[]string{`for="192.0.2.7`}, "", "malformed"},
		{[]string{`for=192.0.2.7"`}, "", "malformed"},
		{[]string{`for="192.0.2.7"x`}, "", "malformed"},
		{[]string{`for=192.0.2.7;x="`}, "", "malformed"},
		{[]string{`for=192.0.2.7;x="\"`}, "", "malformed"},
		{[]string{`for=192.0.2.7;x="\`}, "", "malformed"},
		{[]string{`for=192.0.2.7;x=\"`}, "", "malformed"},
		{[]string{"for=192.0.2.7;x=\"\x01\""}, "", "malformed"},
		{[]string{"for=192.0.2.7;x=\"\\\x7f\""}, "", "malformed"},
		{[]string{"for=\u0661.0.2.7"}, "", "malformed"},
		{[]string{"ｆor=192.0.2.7"}, "", "malformed"},
		{[]string{"for=192.0.2.7, " + strings.Repeat("for=10.0.0.2,", 32)}, "", "too many hops"},
		{[]string{"for=192.0.2.7;x=" + strings.Repeat("x", 4096)}, "", "too long"},
	})
}

func TestAPeerThatIsNotTrustedIsTheClientWhateverItSends(t *testing.T) {
	for _, peer := range []netip.Addr{netip.MustParseAddr("192.0.2.7"), netip.MustParseAddr("2001:db8:b::7"), {}} {
		for _, header := range []string{headerXForwardedFor, headerForwarded} {
			for _, line := range []string{"127.0.0.1", "for=127.0.0.1", "unknown", strings.Repeat("x", 1<<20)} {
				got, err := forwardedClient(http.Header{header: {line}}, header, peer, trustedProxies)
				if err != nil || got != peer {
					t.Errorf("%s: %.40q from %s: got %s, %v", header, line, peer, got, err)
				}
			}
		}
	}
}

func TestOnlyTheHeaderThatTheProxiesWriteIsRead(t *testing.T) {
	peer := netip.MustParseAddr("10.0.0.1")
	both := http.Header{headerXForwardedFor: {"192.0.2.7"}, headerForwarded: {"for=198.51.100.1"}}
	for header, want := range map[string]string{headerXForwardedFor: "192.0.2.7", headerForwarded: "198.51.100.1"} {
		if got, err := forwardedClient(both, header, peer, trustedProxies); err != nil || got.String() != want {
			t.Errorf("%s: got %s, %v", header, got, err)
		}
		other := both.Clone()
		other.Del(header)
		if got, err := forwardedClient(other, header, peer, trustedProxies); err != nil || got != peer {
			t.Errorf("%s: without it got %s, %v", header, got, err)
		}
	}
}

func TestAPeerIsTrustedInEitherFormOfItsAddress(t *testing.T) {
	got, err := forwardedClient(http.Header{headerXForwardedFor: {"192.0.2.7"}}, headerXForwardedFor, netip.MustParseAddr("::ffff:10.0.0.1"), trustedProxies)
	if err != nil || got.String() != "192.0.2.7" {
		t.Errorf("got %s, %v", got, err)
	}
}

func TestFindingTheForwardedClientAllocatesNothing(t *testing.T) {
	peer := netip.MustParseAddr("10.0.0.1")
	for _, test := range []struct{ header, line string }{
		{headerXForwardedFor, "192.0.2.7"},
		{headerXForwardedFor, "2001:db8:b::7"},
		{headerXForwardedFor, "127.0.0.1, 192.0.2.7:51442, 10.0.0.2"},
		{headerForwarded, "for=192.0.2.7"},
		{headerForwarded, `for="[2001:db8:b::7]:51442";proto=https, for=10.0.0.2`},
	} {
		h := http.Header{test.header: {test.line}}
		if n := testing.AllocsPerRun(100, func() {
			if _, err := forwardedClient(h, test.header, peer, trustedProxies); err != nil {
				t.Fatal(err)
			}
		}); n != 0 {
			t.Errorf("%s: %q: %v allocations", test.header, test.line, n)
		}
	}
}

// FuzzForwarded lets the client send whatever it likes, and trusted proxies add to it: what they add decides alone. shape
// chooses what they add, and extra is text that stands in it in quotes.
func FuzzForwarded(f *testing.F) {
	for _, left := range []string{
		"", "127.0.0.1", "for=127.0.0.1", `for="127.0.0.1`, `for="\`, `x="`, `\"`, ",", " , ,", "127.0.0.1\n", `for=127.0.0.1;x="a,b`, "\x00", "unknown",
	} {
		for shape := range uint32(4) {
			f.Add(left, `a", for=127.0.0.1, b="\`, uint32(shape)*0x01234567, uint32(0xc0000207))
		}
	}
	peer := netip.MustParseAddr("10.0.0.1")
	f.Fuzz(func(t *testing.T, left, extra string, shape, address uint32) {
		for _, header := range []string{headerXForwardedFor, headerForwarded} {
			// Whatever comes, there is a client or an error.
			alone, aloneErr := forwardedClient(http.Header{header: {left}}, header, peer, trustedProxies)
			if (aloneErr == nil) != alone.IsValid() || alone.Zone() != "" || alone.Is4In6() {
				t.Fatalf("%s: %q: got %s, %v", header, left, alone, aloneErr)
			}

			client := netip.AddrFrom4([4]byte{byte(address >> 24), byte(address >> 16), byte(address >> 8), byte(address)})
			if address%3 == 0 {
				client = netip.AddrFrom16([16]byte{0x20, 1, 0x0d, 0xb8, 0, 0xb, 15: byte(address)})
			}
			if trustedProxies.contains(client) {
				return
			}
			bits := shape
			added := []string{writtenHop(header, client, extra, &bits)}
			for range shape % 5 {
				added = append(added, writtenHop(header, netip.AddrFrom4([4]byte{10, 0, 0, byte(bits)}), extra, &bits))
			}
			// One line, a line for each hop, and a line for the client's with all hops in another.
			for _, lines := range [][]string{
				{left + ", " + strings.Join(added, ", ")},
				append([]string{left}, added...),
				{left, strings.Join(added, ",")},
				{left + "," + added[0], strings.Join(added[1:], " ,\t")},
				added,
			} {
				if size := len(strings.Join(lines, ",")); size > maxForwardedBytes {
					continue
				}
				got, err := forwardedClient(http.Header{header: slices.Clone(lines)}, header, peer, trustedProxies)
				if err != nil || got != client {
					t.Fatalf("%s: %q: got %s, %v, want %s", header, lines, got, err, client)
				}
			}
		}
	})
}

// writtenHop returns an address as a proxy may write it, in a way chosen by bits.
func writtenHop(header string, addr netip.Addr, extra string, bits *uint32) string {
	choose := func(n uint32) uint32 {
		choice := *bits % n
		*bits = *bits/n ^ *bits<<29
		return choice
	}
	text, quoted := addr.String(), false
	port := ":" + strconv.Itoa(int(choose(65536)))
	if header == headerXForwardedFor {
		switch {
		case addr.Is4() && choose(2) == 1:
			return text + port
		case addr.Is4():
			return text
		}
		return []string{text, "[" + text + "]", "[" + text + "]" + port}[choose(3)]
	}
	if addr.Is6() {
		text, quoted = "["+text+"]", true
	}
	switch choose(3) {
	case 0:
		text, quoted = text+port, true
	case 1:
		text, quoted = text+":_p", true
	}
	if quoted || choose(2) == 1 {
		text = quotedString(text)
	}
	pairs := []string{"for=" + text, "by=_" + strconv.Itoa(int(choose(10))), "x=" + quotedString(extra), ""}
	for i := range pairs {
		j := int(choose(uint32(len(pairs))))
		pairs[i], pairs[j] = pairs[j], pairs[i]
	}
	return strings.Join(pairs, ";")
}

// quotedString returns s as a quoted string, without what cannot stand in one.
func quotedString(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			b.WriteByte('\\')
			fallthrough
		case isQuotable(c):
			b.WriteByte(c)
		}
	}
	b.WriteByte('"')
	return b.String()
}
