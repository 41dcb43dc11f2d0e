package jobs

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"image"
	"image/png"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var limits = Limits{Pixels: 100_000, Width: 200, Result: 50_000, Chaos: true}

// picture returns a PNG of a size.
func picture(t testing.TB, width, height int) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewNRGBA(image.Rect(0, 0, width, height))); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// claiming returns a PNG that is tiny but claims another size, with a valid checksum.
func claiming(t testing.TB, width, height uint32) []byte {
	t.Helper()
	raw := picture(t, 1, 1)
	binary.BigEndian.PutUint32(raw[16:], width)
	binary.BigEndian.PutUint32(raw[20:], height)
	binary.BigEndian.PutUint32(raw[29:], crc32.ChecksumIEEE(raw[12:29]))
	return raw
}

func TestParseTakesEachKind(t *testing.T) {
	data := base64.StdEncoding.EncodeToString(picture(t, 300, 200))
	for _, body := range []string{
		fmt.Sprintf(`{"kind":"resize","data":%q,"width":30}`, data),
		`{"kind":"hash","data":"aGk="}`,
		`{"kind":"hash","data":"aGk=","fails":2}`,
		`{"kind":"sleep","millis":10000}`,
		`{"kind":"crash"}`,
		`{"kind":"crash","restart":"temporary"}`,
		`{"kind":"hang"}`,
		`{"kind":"hang","millis":5}`,
	} {
		if _, err := Parse(strings.NewReader(body), limits); err != nil {
			t.Errorf("%.60s: %v", body, err)
		}
	}
}

func TestParseRefusesAndSaysWhy(t *testing.T) {
	for body, want := range map[string]string{
		``:                                       "empty",
		`null`:                                   "kind is missing",
		`{}`:                                     "kind is missing",
		`{"kind":"dance"}`:                       "none of",
		`{"kind":"hash","data":"!"}`:             "base64",
		`{"kind":"hash"}`:                        "data is missing",
		`{"kind":"hash","data":"aGk=","size":1}`: "unknown field",
		`{"kind":"hash","data":"aGk=","width":1}`:                    "no use",
		`{"kind":"hash","data":"aGk="}{}`:                            "more after",
		`{"kind":"resize","data":"aGk=","width":1}`:                  "not a PNG",
		`{"kind":"sleep"}`:                                           "millis",
		`{"kind":"sleep","millis":-1}`:                               "millis",
		`{"kind":"sleep","millis":10001}`:                            "millis",
		`{"kind":"sleep","millis":1,"restart":"permanent"}`:          "no use",
		`{"kind":"sleep","millis":1,"data":"aGk="}`:                  "no use",
		`{"kind":"crash","restart":"always"}`:                        "none of",
		`{"kind":"crash","millis":5}`:                                "no use",
		`{"kind":"hash","data":"aGk=","fails":-1}`:                   "fails",
		`{"kind":"hash","data":"aGk=","fails":1000}`:                 "fails",
		`{"kind":"hash","data":"aGk=","fails":99999999999999999999}`: "fails",
	} {
		_, err := Parse(strings.NewReader(body), limits)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want an error with %q", body, err, want)
		}
	}
}

func TestChaosIsTakenOnlyWhereItIsAllowed(t *testing.T) {
	calm := limits
	calm.Chaos = false
	for _, kind := range []string{Crash, Hang} {
		err := Request{Kind: kind}.check(calm)
		var p *Problem
		if !errors.As(err, &p) || p.Reason != NotAllowed {
			t.Errorf("%s: %v, want %s", kind, err, NotAllowed)
		}
	}
}

func TestPictureTooBigIsRefusedByItsHeader(t *testing.T) {
	for name, data := range map[string][]byte{
		"bomb":          claiming(t, 60_000, 60_000),
		"largest sides": claiming(t, 1<<31-1, 1<<31-1),
		"just too big":  claiming(t, 1001, 100),
		// Scaled to the width asked for, it would be higher than all memory.
		"one pixel wide": claiming(t, 1, 100_000),
	} {
		err := Request{Kind: Resize, Data: data, Width: 200}.check(limits)
		if err == nil {
			t.Errorf("%s was taken", name)
		}
	}
	if err := (Request{Kind: Resize, Data: picture(t, 1000, 100), Width: 200}).check(limits); err != nil {
		t.Errorf("just small enough: %v", err)
	}
	for _, width := range []int{0, -1, 201} {
		if err := (Request{Kind: Resize, Data: picture(t, 10, 10), Width: width}).check(limits); err == nil {
			t.Errorf("width %d was taken", width)
		}
	}
}

// FuzzParse looks for a body that panics, and for one that is taken although it asks for too much.
func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"kind":"hash","data":"aGk="}`))
	f.Add([]byte(`{"kind":"sleep","millis":1,"fails":3}`))
	f.Add([]byte(fmt.Sprintf(`{"kind":"resize","width":9,"data":%q}`, base64.StdEncoding.EncodeToString(picture(f, 3, 3)))))
	f.Fuzz(func(t *testing.T, body []byte) {
		req, err := Parse(bytes.NewReader(body), limits)
		if err != nil {
			return
		}
		if req.Millis < 0 || req.Millis > maxMillis || req.Fails < 0 || req.Fails > maxFails || req.Width < 0 || req.Width > limits.Width {
			t.Errorf("taken: %+v", req)
		}
	})
}
