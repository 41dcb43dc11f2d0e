package websocket

import (
	"testing"
	"time"
)

func scanned(now time.Time, pieces ...[]byte) frames {
	f := frames{rate: newBucket(1, 1000, now), most: 1000}
	for _, p := range pieces {
		f.scan(p, now)
	}
	return f
}

// What comes is cut into pieces by the network as it likes.
func FuzzFramesAreTheSameHoweverTheyAreCut(f *testing.F) {
	var all []byte
	for _, fr := range []frame{text("hello"), {opText, []byte("a")}, {final | opPing, nil}, {final | opContinuation, make([]byte, 300)}, closeFrame(1000)} {
		all = append(all, encode(fr)...)
	}
	f.Add(all, uint8(3))
	f.Add(encodeHeader(final|opText, 1<<62), uint8(1))
	f.Add([]byte{0x81, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 1}, uint8(1))
	f.Fuzz(func(t *testing.T, b []byte, step uint8) {
		now := time.Now()
		whole := scanned(now, b)
		var pieces [][]byte
		n := max(1, int(step))
		for rest := b; len(rest) > 0; rest = rest[min(n, len(rest)):] {
			pieces = append(pieces, rest[:min(n, len(rest))])
		}
		if cut := scanned(now, pieces...); cut != whole {
			t.Errorf("in pieces of %d: %+v, whole: %+v", n, cut, whole)
		}
		if whole.size > whole.most {
			t.Errorf("size %d above %d", whole.size, whole.most)
		}
	})
}

func TestFramesKnowWhatIsUnderway(t *testing.T) {
	now := time.Now()
	ping := frame{final | opPing, []byte("x")}
	for name, tt := range map[string]struct {
		sent frame
		more []frame
		want bool
	}{
		"nothing":                     {text("a"), nil, false},
		"empty message":               {text(""), nil, false},
		"message begun":               {frame{opText, []byte("a")}, nil, true},
		"ping amid a message":         {frame{opText, []byte("a")}, []frame{ping}, true},
		"message ended after a ping":  {frame{opText, []byte("a")}, []frame{ping, {final | opContinuation, nil}}, false},
		"fragment after fragment":     {frame{opText, []byte("a")}, []frame{{opContinuation, []byte("b")}}, true},
		"message after a message":     {text("a"), []frame{{opText, nil}}, true},
		"ping alone":                  {ping, nil, false},
		"close frame":                 {closeFrame(1000), nil, false},
		"long message, 16-bit length": {frame{final | opText, make([]byte, 500)}, nil, false},
	} {
		b := encode(tt.sent)
		for _, m := range tt.more {
			b = append(b, encode(m)...)
		}
		f := scanned(now, b)
		if f.underway() != tt.want || f.broken != "" {
			t.Errorf("%s: underway %t, broken %q; want %t", name, f.underway(), f.broken, tt.want)
		}
		if cut := scanned(now, b[:len(b)-1]); !cut.underway() {
			t.Errorf("%s, but for the last byte: nothing underway", name)
		}
	}
}
