package plain

import (
	"testing"
	"time"

	"github.com/headcount-go/headcount/internal/leak"
)

func TestMain(m *testing.M) { leak.Main(m) }

func TestWhatDoesNotPrintIsShownEscaped(t *testing.T) {
	for in, want := range map[string]string{
		"ann":                     "ann",
		"zürich 東京":               "zürich 東京",
		"red\x1b[31m":             `red\x1b[31m`,
		"title\x1b]0;x\a":         `title\x1b]0;x\a`,
		"two\nlines\r":            `two\nlines\r`,
		"c1 \u009b31m":            `c1 \u009b31m`,
		"txt\u202egnp":            `txt\u202egnp`,
		"half \xff":               `half \ufffd`,
		"zero\u200bwidth\u2028ls": `zero\u200bwidth\u2028ls`,
	} {
		if got := Shown(in); got != want || !Is(got) {
			t.Errorf("%q is shown as %q, want %q", in, got, want)
		}
	}
	for in, want := range map[string]string{"\x1b uns": `\x1b u…`, "abü": "ab…", "abc": "abc"} {
		if got := Cut(in, 3); got != want {
			t.Errorf("%q is cut to %q, want %q", in, got, want)
		}
	}
}

func TestTheNearestWordIsOneThatIsClose(t *testing.T) {
	words := []string{"myapp", "myapp/users", "myapp/jobs", "myapp/web/conns"}
	for in, want := range map[string]string{
		"myapp/usres": "myapp/users", "myap/job": "myapp/jobs", "myapp/web/con": "myapp/web/conns", "other": "", "": "",
	} {
		if got := Nearest(in, words); got != want {
			t.Errorf("nearest to %q is %q, want %q", in, got, want)
		}
	}
}

func TestNumbersAndAgesAreShort(t *testing.T) {
	for n, want := range map[int64]string{0: "0", 999: "999", 1000: "1,000", -1234567: "-1,234,567", -123: "-123"} {
		if got := Number(n); got != want {
			t.Errorf("%d is %s, want %s", n, got, want)
		}
	}
	for d, want := range map[time.Duration]string{
		-time.Second: "0 s", 59 * time.Second: "59 s", 61 * time.Minute: "1 h 1 min", 3 * time.Minute: "3 min", 72 * time.Hour: "3 d",
	} {
		if got := Age(d); got != want {
			t.Errorf("%v is %s, want %s", d, got, want)
		}
	}
}
