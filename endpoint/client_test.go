package endpoint

import (
	"net"
	"net/netip"
	"strings"
	"testing"
)

func TestAClientIsCountedByItsAddressOrItsSlash64(t *testing.T) {
	for text, want := range map[string]string{
		"192.0.2.7":                   "192.0.2.7",
		"0.0.0.0":                     "0.0.0.0",
		"::ffff:192.0.2.7":            "192.0.2.7",
		"::ffff:192.0.2.7%eth0":       "192.0.2.7",
		"2001:db8:1:2:3:4:5:6":        "2001:db8:1:2::",
		"2001:db8:1:2::":              "2001:db8:1:2::",
		"2001:db8:1:2:ffff:ffff::1":   "2001:db8:1:2::",
		"2001:db8:1:3::1":             "2001:db8:1:3::",
		"fe80::1%eth0":                "fe80::",
		"::1":                         "::",
		"::ffff:0:192.0.2.7":          "::", // IPv4-translated: an IPv6 address like any other
		"ffff:ffff:ffff:ffff:ffff::1": "ffff:ffff:ffff:ffff::",
	} {
		if got := clientKey(netip.MustParseAddr(text)); got != netip.MustParseAddr(want) {
			t.Errorf("%s is counted as %s, want %s", text, got, want)
		}
	}
	if got := clientKey(netip.Addr{}); got.IsValid() {
		t.Errorf("no address is counted as %s", got)
	}
}

func TestAClientsPrefixIsItsSlash24OrItsSlash48(t *testing.T) {
	for text, want := range map[string]string{
		"192.0.2.7":            "192.0.2.0/24",
		"::ffff:192.0.2.7":     "192.0.2.0/24",
		"2001:db8:1:2:3:4:5:6": "2001:db8:1::/48",
		"fe80::1%eth0":         "fe80::/48",
	} {
		if got := clientPrefix(netip.MustParseAddr(text)); got != netip.MustParsePrefix(want) {
			t.Errorf("%s is in %s, want %s", text, got, want)
		}
	}
	if got := clientPrefix(netip.Addr{}); got != (netip.Prefix{}) {
		t.Errorf("no address is in %s", got)
	}
}

type otherAddr struct{ network, text string }

func (a otherAddr) Network() string { return a.network }
func (a otherAddr) String() string  { return a.text }

func TestTheAddressOfAConnectionIsReadFromWhateverItGives(t *testing.T) {
	for _, test := range []struct {
		addr net.Addr
		want string // "" for none
	}{
		{&net.TCPAddr{IP: net.IPv4(192, 0, 2, 7), Port: 80}, "192.0.2.7:80"}, // IPv4 in 16 bytes
		{&net.TCPAddr{IP: net.IP{192, 0, 2, 7}, Port: 80}, "192.0.2.7:80"},
		{&net.TCPAddr{IP: net.ParseIP("2001:db8::1"), Port: 443}, "[2001:db8::1]:443"},
		{&net.TCPAddr{IP: net.ParseIP("fe80::1"), Port: 443, Zone: "eth0"}, "[fe80::1%eth0]:443"},
		{&net.UDPAddr{IP: net.IPv4(192, 0, 2, 7), Port: 53}, "192.0.2.7:53"},
		{otherAddr{"tcp", "[::ffff:192.0.2.7]:80"}, "192.0.2.7:80"},
		{otherAddr{"pipe", "pipe"}, ""},
		{otherAddr{"unix", "127.0.0.1:80"}, ""}, // a path chosen by the client
		{&net.UnixAddr{Net: "unix", Name: "127.0.0.1:80"}, ""},
		{&net.UnixAddr{Net: "unixpacket", Name: "@"}, ""},
		{&net.TCPAddr{}, ""},
		{(*net.TCPAddr)(nil), ""},
		{nil, ""},
	} {
		var want netip.AddrPort
		if test.want != "" {
			want = netip.MustParseAddrPort(test.want)
		}
		if got := addrOf(test.addr); got != want {
			t.Errorf("%v: got %s, want %s", test.addr, got, want)
		}
	}
}

func TestASetOfPrefixesContainsWhatTheyCover(t *testing.T) {
	set, err := parsePrefixes([]string{
		"10.0.0.0/8", "192.0.2.7", "2001:db8::/32", "2001:db9::1", "::ffff:198.51.100.0/120", "::ffff:203.0.113.9", "fe80::/10",
	})
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]bool{
		"10.0.0.0":            true,
		"10.255.255.255":      true,
		"11.0.0.0":            false,
		"::ffff:10.1.2.3":     true,
		"192.0.2.7":           true,
		"192.0.2.6":           false,
		"2001:db8:ffff::1":    true,
		"2001:db9::1":         true,
		"2001:db9::2":         false,
		"198.51.100.255":      true,
		"198.51.101.0":        false,
		"203.0.113.9":         true,
		"fe80::1%eth0":        true,
		"::ffff:0:10.1.2.3":   false,
		"::10.1.2.3":          false,
		"a00::":               false, // begins with the bits of 10.0.0.0/8
		"2001:db8::%anything": true,
	} {
		if got := set.contains(netip.MustParseAddr(text)); got != want {
			t.Errorf("contains %s: %v", text, got)
		}
	}
	if set.contains(netip.Addr{}) {
		t.Error("contains the invalid address")
	}
	if prefixSet(nil).contains(netip.MustParseAddr("10.0.0.1")) {
		t.Error("the empty set contains an address")
	}
}

func TestAllOfOneFamilyCoversNothingOfTheOther(t *testing.T) {
	for text, foreign := range map[string]string{"::/0": "10.0.0.1", "0.0.0.0/0": "2001:db8::1", "::ffff:0:0/96": "2001:db8::1"} {
		set, err := parsePrefixes([]string{text})
		if err != nil {
			t.Fatal(err)
		}
		if set.contains(netip.MustParseAddr(foreign)) {
			t.Errorf("%s contains %s", text, foreign)
		}
	}
}

func TestAPrefixThatCouldBeMisreadIsRefusedByIndexAndValue(t *testing.T) {
	for text, want := range map[string]string{
		"":                     "not an address",
		"localhost":            "not an address",
		" 10.0.0.0/8":          "not a prefix",
		"10.0.0.0/":            "not a prefix",
		"10.0.0.0/33":          "not a prefix",
		"10.0.0.0/08":          "not a prefix",
		"10.0.0.0/-1":          "not a prefix",
		"10.0.0/8":             "not a prefix",
		"010.0.0.0/8":          "not a prefix",
		"10.0.0.0/255.0.0.0":   "not a prefix",
		"10.0.0.1:80":          "not an address",
		"10.0.0.1/8":           "write 10.0.0.0/8",
		"2001:db8::1/32":       "write 2001:db8::/32",
		"::ffff:10.0.0.1/104":  "write 10.0.0.0/8",
		"::ffff:10.0.0.0/80":   "write ::/80",
		"fe80::1%eth0":         "zones",
		"fe80::%eth0/64":       "zones",
		"10.0.0.1\x1b[2J":      `"10.0.0.1\x1b[2J"`,
		"\u0661\u0660.0.0.0/8": "not a prefix", // Arabic-Indic digits
	} {
		_, err := parsePrefixes([]string{"127.0.0.1", text})
		if err == nil {
			t.Errorf("%q was taken", text)
			continue
		}
		if !strings.HasPrefix(err.Error(), "prefix 1, ") || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %q does not speak of %s", text, err, want)
		}
	}
}

func TestLookingAtAClientAllocatesNothing(t *testing.T) {
	set, err := parsePrefixes([]string{"10.0.0.0/8", "2001:db8::/32"})
	if err != nil {
		t.Fatal(err)
	}
	var conn net.Addr = &net.TCPAddr{IP: net.IPv4(192, 0, 2, 7), Port: 80}
	for _, text := range []string{"192.0.2.7", "::ffff:192.0.2.7", "2001:db8::1", "fe80::1%eth0"} {
		a := netip.MustParseAddr(text)
		if n := testing.AllocsPerRun(100, func() { clientKey(a); clientPrefix(a); set.contains(a); addrOf(conn) }); n != 0 {
			t.Errorf("%s: %v allocations", text, n)
		}
	}
}

func FuzzClientKey(f *testing.F) {
	for _, seed := range []string{"192.0.2.7", "::ffff:192.0.2.7", "2001:db8:1:2:3:4:5:6", "::", "fe80::1"} {
		bytes := netip.MustParseAddr(seed).As16()
		f.Add(bytes[:], uint64(1), "eth0")
	}
	f.Fuzz(func(t *testing.T, bytes []byte, host uint64, zone string) {
		if len(bytes) != 4 && len(bytes) != 16 {
			return
		}
		a, _ := netip.AddrFromSlice(bytes)
		key := clientKey(a)
		if again := clientKey(key); again != key {
			t.Fatalf("the key of %s is %s, and its key is %s", a, key, again)
		}
		if got := clientKey(a.WithZone(zone)); got != key {
			t.Fatalf("%s in zone %q has the key %s, want %s", a, zone, got, key)
		}
		if !clientPrefix(a).Contains(key) || clientPrefix(key) != clientPrefix(a) {
			t.Fatalf("%s is in %s, its key %s in %s", a, clientPrefix(a), key, clientPrefix(key))
		}
		if a.Is4() {
			if mapped := netip.AddrFrom16(a.As16()); key != a || clientKey(mapped) != a || clientPrefix(mapped) != clientPrefix(a) {
				t.Fatalf("%s has the key %s, mapped %s", a, key, clientKey(mapped))
			}
			return
		}
		if a.Is4In6() {
			if key != a.Unmap() {
				t.Fatalf("%s has the key %s", a, key)
			}
			return
		}
		neighbour := a.As16()
		for i := range 8 {
			neighbour[8+i] ^= byte(host >> (8 * i))
		}
		if b := netip.AddrFrom16(neighbour); !b.Is4In6() && clientKey(b) != key {
			t.Fatalf("%s and %s of one /64 have the keys %s and %s", a, b, key, clientKey(b))
		}
		neighbour[7] ^= 1
		if b := netip.AddrFrom16(neighbour); clientKey(b) == key {
			t.Fatalf("%s and %s of two /64 have the key %s", a, b, key)
		}
	})
}
