package strict

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type order struct {
	What string `json:"what"`
	Many int    `json:"many"`
}

func TestDecodeTakesOneValueWithKnownFields(t *testing.T) {
	var got order
	if err := Decode(strings.NewReader(" {\"what\":\"tea\",\"many\":2}\n"), &got); err != nil || got != (order{"tea", 2}) {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestDecodeRefusesAndSaysWhy(t *testing.T) {
	for body, want := range map[string]string{
		``:                         "empty",
		`{"what":"tea"`:            "unexpected EOF",
		`{"what":"tea","sugar":1}`: "unknown field",
		`{"what":7}`:               "what",
		`{"many":1.5}`:             "many",
		`{} {}`:                    "more after",
		`{} x`:                     "more after",
		`[]`:                       "array",
	} {
		var got order
		err := Decode(strings.NewReader(body), &got)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want an error with %q", body, err, want)
		}
	}
}

func TestDecodePassesOnWhatTheReaderSays(t *testing.T) {
	tooBig := errors.New("too big")
	var got order
	for _, body := range []string{`{"what":`, `{}`} {
		err := Decode(io.MultiReader(strings.NewReader(body), iotest.ErrReader(tooBig)), &got)
		if !errors.Is(err, tooBig) {
			t.Errorf("%s: %v", body, err)
		}
	}
}

func FuzzDecode(f *testing.F) {
	for _, seed := range []string{``, `{}`, `{"what":"a","many":1}`, `{"x":1}`, `[[[[`, `{}{}`, "\x00"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body string) {
		var got order
		if err := Decode(strings.NewReader(body), &got); err != nil && err.Error() == "" {
			t.Error("an error without words")
		}
	})
}
