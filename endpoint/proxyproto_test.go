package endpoint

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"net/netip"
	"strings"
	"testing"
	"testing/iotest"
)

// proxyV2 returns a binary header.
func proxyV2(command, family byte, tail string) string {
	size := binary.BigEndian.AppendUint16(nil, uint16(len(tail)))
	return proxyV2Signature + string([]byte{command, family}) + string(size) + tail
}

func tlv(kind byte, value string) string {
	return string(binary.BigEndian.AppendUint16([]byte{kind}, uint16(len(value)))) + value
}

const (
	// 192.0.2.7:51442 to 198.51.100.1:443
	proxyInet = "\xc0\x00\x02\x07\xc6\x33\x64\x01\xc8\xf2\x01\xbb"
	// [2001:db8::7]:51442 to [2001:db8::1]:443
	proxyInet6 = "\x20\x01\x0d\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x07" +
		"\x20\x01\x0d\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\xc8\xf2\x01\xbb"
	// [::ffff:192.0.2.7]:51442 to [::ffff:198.51.100.1]:443
	proxyMapped = "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\xff\xff\xc0\x00\x02\x07" +
		"\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\xff\xff\xc6\x33\x64\x01\xc8\xf2\x01\xbb"
	// the same as proxyInet, with checksum, VPC endpoint and padding as Amazon's load balancers write them
	proxyAmazon = proxyInet + "\x03\x00\x04\x17\x71\x06\x8a" + "\xea\x00\x17\x01vpce-0123456789abcdef0" + "\x04\x00\x05\x00\x00\x00\x00\x00"
)

var proxyUnix = "/run/client" + strings.Repeat("\x00", 97) + "/run/server" + strings.Repeat("\x00", 97)

// proxySamples are headers, and "source destination" or "local".
var proxySamples = map[string]string{
	"PROXY TCP4 192.0.2.7 198.51.100.1 51442 443\r\n":            "192.0.2.7:51442 198.51.100.1:443",
	"PROXY TCP4 0.0.0.0 255.255.255.255 0 65535\r\n":             "0.0.0.0:0 255.255.255.255:65535",
	"PROXY TCP6 2001:db8::7 2001:DB8:0:0:0:0:0:1 51442 443\r\n":  "[2001:db8::7]:51442 [2001:db8::1]:443",
	"PROXY TCP6 ::ffff:192.0.2.7 ::ffff:c633:6401 51442 443\r\n": "192.0.2.7:51442 198.51.100.1:443",
	"PROXY UNKNOWN\r\n":  "local",
	"PROXY UNKNOWN \r\n": "local",
	"PROXY UNKNOWN 192.0.2.7 198.51.100.1 51442 443\r\n":                   "local",
	"PROXY UNKNOWN anything  at all \x00\xff\r\n":                          "local",
	"PROXY UNKNOWN " + strings.Repeat("f", 91) + "\r\n":                    "local", // 107 bytes
	proxyV2(0x21, 0x11, proxyInet):                                         "192.0.2.7:51442 198.51.100.1:443",
	proxyV2(0x21, 0x12, proxyInet):                                         "192.0.2.7:51442 198.51.100.1:443",
	proxyV2(0x21, 0x21, proxyInet6):                                        "[2001:db8::7]:51442 [2001:db8::1]:443",
	proxyV2(0x21, 0x22, proxyInet6):                                        "[2001:db8::7]:51442 [2001:db8::1]:443",
	proxyV2(0x21, 0x21, proxyMapped):                                       "192.0.2.7:51442 198.51.100.1:443",
	proxyV2(0x21, 0x31, proxyUnix):                                         "local",
	proxyV2(0x21, 0x32, proxyUnix+tlv(0x04, "")):                           "local",
	proxyV2(0x21, 0x00, ""):                                                "local",
	proxyV2(0x21, 0x00, "whatever"):                                        "local",
	proxyV2(0x20, 0x00, ""):                                                "local", // a health check
	proxyV2(0x20, 0x11, proxyInet):                                         "local",
	proxyV2(0x20, 0xff, "whatever"):                                        "local",
	proxyV2(0x21, 0x11, proxyAmazon):                                       "192.0.2.7:51442 198.51.100.1:443",
	proxyV2(0x21, 0x11, proxyInet+tlv(0x20, "\x01\x00\x00\x00\x00")):       "192.0.2.7:51442 198.51.100.1:443",
	proxyV2(0x21, 0x11, proxyInet+tlv(0x04, strings.Repeat("\x00", 4081))): "192.0.2.7:51442 198.51.100.1:443", // a tail of 4096
}

func shownProxyHeader(h proxyHeader) string {
	if h.Local {
		return "local"
	}
	return fmt.Sprint(h.Source, " ", h.Destination)
}

// A countingReader counts what is taken from it.
type countingReader struct {
	r io.Reader
	n int
}

func (c *countingReader) Read(b []byte) (int, error) {
	n, err := c.r.Read(b)
	c.n += n
	return n, err
}

func TestAProxyHeaderIsReadInOnePieceOrInManyAndThePayloadHandedOn(t *testing.T) {
	const payload = "GET / HTTP/1.1\r\nHost: example.com\r\n\r\n"
	for text, want := range proxySamples {
		for name, pieces := range map[string]func(io.Reader) io.Reader{
			"at once":        func(r io.Reader) io.Reader { return r },
			"byte by byte":   iotest.OneByteReader,
			"in halves":      iotest.HalfReader,
			"with its error": iotest.DataErrReader,
		} {
			for _, payload := range []string{"", payload, strings.Repeat(payload, 200)} {
				r := pieces(strings.NewReader(text + payload))
				header, err := readProxyHeader(r)
				if err != nil {
					t.Errorf("%.60q %s: %v", text, name, err)
					continue
				}
				if got := shownProxyHeader(header); got != want {
					t.Errorf("%.60q %s: got %s, want %s", text, name, got, want)
				}
				after, _ := io.ReadAll(r)
				if string(header.rest)+string(after) != payload {
					t.Errorf("%.60q %s: the payload is now %.60q and %.60q", text, name, header.rest, after)
				}
				if len(header.rest) > maxProxyV1 {
					t.Errorf("%.60q %s: %d bytes read too far", text, name, len(header.rest))
				}
			}
		}
	}
}

func TestWhatIsNotExactlyAProxyHeaderIsRefusedWithAReason(t *testing.T) {
	tooLong := proxyV2(0x21, 0x11, proxyInet+tlv(0x04, strings.Repeat("\x00", 4082)))
	for text, want := range map[string]string{
		"GET / HTTP/1.1\r\n":         "no signature",
		"\x16\x03\x01\x02\x00":       "no signature",
		"PROXY\tTCP4":                "no signature",
		"proxy TCP4":                 "no signature",
		" PROXY TCP4":                "no signature",
		"\r\n\r\n\x00\r\nQUIT\r":     "no signature",
		"\r\n\r\n\r\n":               "no signature",
		"PROXY":                      "ends early",
		"PROXY TCP4 192.0.2.7":       "ends early",
		"PROXY UNKNOWN\r":            "ends early",
		proxyV2Signature:             "ends early",
		proxyV2Signature + "\x21":    "ends early",
		"PROXY UNKNOWN\n":            "CRLF",
		"PROXY UNKNOWN\rX\r\n":       "CRLF",
		"PROXY UNKNOWN \r\r\n":       "CRLF",
		"PROXY UNKNOWN \n\r\n":       "CRLF",
		"PROXY UNKNOWNS\r\n":         "unknown protocol",
		"PROXY  UNKNOWN\r\n":         "unknown protocol",
		"PROXY unknown\r\n":          "unknown protocol",
		"PROXY UDP4 1.2.3.4\r\n":     "unknown protocol",
		"PROXY \r\n":                 "unknown protocol",
		"PROXY TCP4\r\n":             "wrong number",
		"PROXY TCP4 1.2.3.4 5 6\r\n": "wrong number",
		"PROXY TCP4 192.0.2.7 198.51.100.1 51442 443 \r\n":           "wrong number",
		"PROXY TCP4 192.0.2.7 198.51.100.1 51442 443 x\r\n":          "wrong number",
		"PROXY TCP4  192.0.2.7 198.51.100.1 51442 443\r\n":           "wrong number",
		"PROXY TCP4 192.0.2.7  198.51.100.1 443\r\n":                 "bad port",
		"PROXY TCP4 192.0.2.7\t198.51.100.1 x 51442 443\r\n":         "bad address",
		"PROXY TCP4 192.0.2.07 198.51.100.1 51442 443\r\n":           "bad address",
		"PROXY TCP4 192.0.2 198.51.100.1 51442 443\r\n":              "bad address",
		"PROXY TCP4 192.0.2.256 198.51.100.1 51442 443\r\n":          "bad address",
		"PROXY TCP4 2001:db8::7 2001:db8::1 51442 443\r\n":           "bad address",
		"PROXY TCP4 ::ffff:192.0.2.7 198.51.100.1 51442 443\r\n":     "bad address",
		"PROXY TCP4 \u0661.0.2.7 198.51.100.1 51442 443\r\n":         "bad address",
		"PROXY TCP6 192.0.2.7 198.51.100.1 51442 443\r\n":            "bad address",
		"PROXY TCP6 2001:db8::7 192.0.2.7 51442 443\r\n":             "bad address",
		"PROXY TCP6 [2001:db8::7] [2001:db8::1] 51442 443\r\n":       "bad address",
		"PROXY TCP6 fe80::1%eth0 2001:db8::1 51442 443\r\n":          "bad address",
		"PROXY TCP6 ::ffff:192.0.2.7%1 2001:db8::1 51442 443\r\n":    "bad address",
		"PROXY TCP4 192.0.2.7 198.51.100.1 051442 443\r\n":           "bad port",
		"PROXY TCP4 192.0.2.7 198.51.100.1 51442 65536\r\n":          "bad port",
		"PROXY TCP4 192.0.2.7 198.51.100.1 51442 +443\r\n":           "bad port",
		"PROXY TCP4 192.0.2.7 198.51.100.1 -1 443\r\n":               "bad port",
		"PROXY TCP4 192.0.2.7 198.51.100.1 51442 00\r\n":             "bad port",
		"PROXY TCP4 192.0.2.7 198.51.100.1 51442 \r\n":               "bad port",
		"PROXY TCP4 192.0.2.7 198.51.100.1 51442 \u0664\r\n":         "bad port",
		"PROXY UNKNOWN " + strings.Repeat("f", 92) + "\r\n":          "line too long",
		"PROXY TCP4 " + strings.Repeat("9", 1<<20):                   "line too long",
		proxyV2(0x11, 0x11, proxyInet):                               "unknown version",
		proxyV2(0x31, 0x11, proxyInet):                               "unknown version",
		proxyV2(0x22, 0x11, proxyInet):                               "unknown command",
		proxyV2(0x2f, 0x11, proxyInet):                               "unknown command",
		proxyV2(0x21, 0x10, proxyInet):                               "unknown family",
		proxyV2(0x21, 0x01, proxyInet):                               "unknown family",
		proxyV2(0x21, 0x13, proxyInet):                               "unknown family",
		proxyV2(0x21, 0x41, proxyInet):                               "unknown family",
		proxyV2(0x21, 0x11, proxyInet[:11]):                          "too short",
		proxyV2(0x21, 0x11, ""):                                      "too short",
		proxyV2(0x21, 0x21, proxyInet):                               "too short",
		proxyV2(0x21, 0x31, proxyInet6):                              "too short",
		tooLong:                                                      "too long",
		proxyV2(0x20, 0x00, strings.Repeat("\x00", 4097)):            "too long",
		proxyV2(0x21, 0x11, proxyInet)[:27]:                          "ends early",
		proxyV2(0x21, 0x11, proxyInet+"\x04"):                        "cut TLV",
		proxyV2(0x21, 0x11, proxyInet+tlv(0x04, "")+"\x04\x00"):      "cut TLV",
		proxyV2(0x21, 0x11, proxyInet+"\x04\x00\x01"):                "TLV longer",
		proxyV2(0x21, 0x11, proxyInet+"\x04\xff\xff\x00"):            "TLV longer",
		proxyV2(0x21, 0x31, proxyUnix+"\x04\x00\x01"):                "TLV longer",
		proxyV2(0x21, 0x11, proxyInet+tlv(0x03, "abc")):              "bad checksum TLV",
		proxyV2(0x21, 0x11, proxyInet+tlv(0x03, "abcde")):            "bad checksum TLV",
		proxyV2(0x21, 0x11, proxyInet+tlv(0x03, "abcd")):             "wrong checksum",
		proxyV2(0x21, 0x11, proxyAmazon+tlv(0x03, "abcd")):           "bad checksum TLV",
		proxyV2(0x21, 0x12, proxyAmazon):                             "wrong checksum",
		proxyV2(0x21, 0x11, proxyAmazon[:len(proxyAmazon)-1]+"\x01"): "wrong checksum",
	} {
		for name, r := range map[string]io.Reader{"at once": strings.NewReader(text), "byte by byte": iotest.OneByteReader(strings.NewReader(text))} {
			counted := &countingReader{r: r}
			header, err := readProxyHeader(counted)
			var refused *ProxyHeaderError
			if !errors.As(err, &refused) {
				t.Errorf("%.80q %s: %s, %v", text, name, shownProxyHeader(header), err)
				continue
			}
			if !strings.Contains(refused.Reason, want) {
				t.Errorf("%.80q %s: %q does not speak of %s", text, name, refused.Reason, want)
			}
			if counted.n > proxyV2Fixed+maxProxyTail || strings.HasPrefix(text, "PROXY") && counted.n > maxProxyV1 {
				t.Errorf("%.80q %s: %d bytes were read", text, name, counted.n)
			}
		}
	}
}

func TestAnErrorOfTheConnectionIsNotOneOfTheHeader(t *testing.T) {
	broken := errors.New("broken")
	if _, err := readProxyHeader(strings.NewReader("")); err != io.EOF {
		t.Errorf("nothing at all: %v", err)
	}
	for text := range proxySamples {
		for cut := range min(len(text), 40) {
			r := io.MultiReader(strings.NewReader(text[:cut]), iotest.ErrReader(broken))
			if _, err := readProxyHeader(r); !errors.Is(err, broken) {
				t.Errorf("%q: %v", text[:cut], err)
			}
		}
	}
}

// A header may claim a long tail and never send it: the claim alone must not cost memory.
func TestAClaimedLengthIsNotAllocatedBeforeItArrives(t *testing.T) {
	in := proxyInput{r: strings.NewReader(proxyV2(0x21, 0x11, proxyInet+strings.Repeat("\x00", 4000))[:200]), buf: make([]byte, 0, maxProxyV1)}
	if _, err := readProxyV2(&in); err == nil {
		t.Fatal("a cut header was taken")
	}
	if cap(in.buf) > 512 {
		t.Errorf("%d bytes held for 200", cap(in.buf))
	}
}

func FuzzProxyHeader(f *testing.F) {
	for text := range proxySamples {
		f.Add([]byte(text + "GET / HTTP/1.1\r\n"))
	}
	f.Add([]byte("PROXY TCP4 192.0.2.7 198.51.100.1 051442 443\r\n"))
	f.Fuzz(func(t *testing.T, input []byte) {
		source := &countingReader{r: bytes.NewReader(input)}
		header, err := readProxyHeader(source)
		bound := proxyV2Fixed + maxProxyTail
		if bytes.HasPrefix(input, []byte(proxyV1Prefix)) {
			bound = maxProxyV1
		}
		if source.n > bound {
			t.Fatalf("%d bytes were read", source.n)
		}

		slow := &countingReader{r: iotest.OneByteReader(bytes.NewReader(input))}
		slowHeader, slowErr := readProxyHeader(slow)
		if fmt.Sprint(slowErr) != fmt.Sprint(err) || shownProxyHeader(slowHeader) != shownProxyHeader(header) || slow.n > source.n {
			t.Fatalf("at once %s, %v; byte by byte %s, %v", shownProxyHeader(header), err, shownProxyHeader(slowHeader), slowErr)
		}
		if err != nil {
			var refused *ProxyHeaderError
			if !errors.As(err, &refused) && err != io.EOF || shownProxyHeader(header) != shownProxyHeader(proxyHeader{}) || header.rest != nil {
				t.Fatalf("%s with the error %v", shownProxyHeader(header), err)
			}
			return
		}

		// Byte by byte nothing is read too far.
		if len(slowHeader.rest) != 0 || slow.n+len(header.rest) != source.n || !bytes.Equal(input[slow.n:source.n], header.rest) {
			t.Fatalf("%d and %d bytes were read, %d are left", slow.n, source.n, len(header.rest))
		}
		if header.Local {
			if header.Source.IsValid() || header.Destination.IsValid() {
				t.Fatalf("local, and yet from %s to %s", header.Source, header.Destination)
			}
			return
		}
		for _, end := range []netip.AddrPort{header.Source, header.Destination} {
			if !end.IsValid() || end.Addr().Is4In6() || end.Addr().Zone() != "" {
				t.Fatalf("an end is %s", end)
			}
		}
		for _, again := range []string{encodeProxyV1(header), encodeProxyV2(header)} {
			got, err := readProxyHeader(strings.NewReader(again))
			if err != nil || shownProxyHeader(got) != shownProxyHeader(header) || got.rest != nil {
				t.Fatalf("%s written as %q is read as %s, %v", shownProxyHeader(header), again, shownProxyHeader(got), err)
			}
		}
	})
}

// encodeProxyV1 writes a header as version 1.
func encodeProxyV1(h proxyHeader) string {
	family, source, destination := "TCP4", h.Source.Addr().String(), h.Destination.Addr().String()
	if h.Source.Addr().Is6() || h.Destination.Addr().Is6() {
		family = "TCP6"
		source = netip.AddrFrom16(h.Source.Addr().As16()).String()
		destination = netip.AddrFrom16(h.Destination.Addr().As16()).String()
	}
	return fmt.Sprintf("PROXY %s %s %s %d %d\r\n", family, source, destination, h.Source.Port(), h.Destination.Port())
}

// encodeProxyV2 writes a header as version 2 with a checksum.
func encodeProxyV2(h proxyHeader) string {
	source, destination := h.Source.Addr().As16(), h.Destination.Addr().As16()
	tail := append(source[:], destination[:]...)
	tail = binary.BigEndian.AppendUint16(tail, h.Source.Port())
	tail = binary.BigEndian.AppendUint16(tail, h.Destination.Port())
	whole := proxyV2(0x21, 0x21, string(tail)+tlv(0x03, "\x00\x00\x00\x00"))
	sum := crc32.Checksum([]byte(whole), crc32.MakeTable(crc32.Castagnoli))
	return whole[:len(whole)-4] + string(binary.BigEndian.AppendUint32(nil, sum))
}
