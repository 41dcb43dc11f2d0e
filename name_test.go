package headcount

import (
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestNamesOfPlainCharactersAreFine(t *testing.T) {
	for _, name := range []string{
		"a", "users", "Web_2", "10.0.0.1:8080", "a@b.example+tag", "...", "-", "größe", "日本",
		strings.Repeat("x", maxName),
	} {
		if problem := nameProblem(name); problem != "" {
			t.Errorf("%q: %s", name, problem)
		}
	}
}

func TestNamesThatCouldBeMisreadAreRefused(t *testing.T) {
	for name, want := range map[string]string{
		"":                             "empty",
		".":                            "..",
		"..":                           "..",
		"a/b":                          "'/'",
		"a b":                          "' '",
		"a\nb":                         `'\n'`,
		"a\x00":                        `'\x00'`,
		"a\u202eb":                     `'\u202e'`, // turns the text round
		"a\u00a0b":                     `'\u00a0'`,
		`a"b`:                          `'"'`,
		"a\xff":                        "UTF-8",
		"a\ufffd":                      "contain",
		strings.Repeat("x", maxName+1): "128",
	} {
		if problem := nameProblem(name); !strings.Contains(problem, want) {
			t.Errorf("%q: %q does not speak of %s", name, problem, want)
		}
	}
}

func TestJoinPathHasNoEmptyRoot(t *testing.T) {
	if got := joinPath(joinPath(joinPath("", "myapp"), "users"), "alice"); got != "myapp/users/alice" {
		t.Error(got)
	}
}

func TestShownKeyIsPlainWhereItCanBe(t *testing.T) {
	for key, want := range map[string]string{
		"alice":                  "alice",
		"a@b.example":            "a@b.example",
		"":                       `""`,
		"..":                     `".."`,
		"2001:db8::/64":          `"2001:db8::\x2f64"`,
		"two words":              `"two words"`,
		`say "x"`:                `"say \"x\""`,
		`a\b`:                    `"a\\b"`,
		"\x1b[2J":                `"\x1b[2J"`,
		"a\xff":                  `"a\xff"`,
		"a\u202e":                `"a\u202e"`,
		strings.Repeat("x", 64):  strings.Repeat("x", 64),
		strings.Repeat("x", 65):  strings.Repeat("x", 64) + "…",
		strings.Repeat("ö", 33):  strings.Repeat("ö", 32) + "…",
		strings.Repeat("日", 33):  strings.Repeat("日", 21) + "…",
		strings.Repeat("/", 16):  `"` + strings.Repeat(`\x2f`, 16) + `"`,
		strings.Repeat("/", 17):  `"` + strings.Repeat(`\x2f`, 16) + `"…`,
		strings.Repeat(" ", 999): `"` + strings.Repeat(" ", 64) + `"…`,
	} {
		if got := shownKey(key); got != want {
			t.Errorf("%q is shown as %s, want %s", key, got, want)
		}
	}
}

func TestShownKeyOfAShortNameAllocatesNothing(t *testing.T) {
	if n := testing.AllocsPerRun(100, func() { shownKey("alice@example") }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func FuzzName(f *testing.F) {
	for _, seed := range []string{"", "a", "..", "a/b", "größe", "\xff", "a\u202e", strings.Repeat("x", 129)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, name string) {
		problem := nameProblem(name)
		if problem != "" {
			if len(problem) > 200 || !safeToShow(problem) {
				t.Fatalf("problem %q", problem)
			}
			return
		}
		if name == "" || len(name) > maxName || strings.ContainsAny(name, "/ \"'`\\") || !safeToShow(name) {
			t.Fatalf("%q was let through", name)
		}
		if len(name) <= maxShownKey && shownKey(name) != name {
			t.Fatalf("%q is a name and is shown as %s", name, shownKey(name))
		}
		if path := joinPath("a", name); strings.Count(path, "/") != 1 {
			t.Fatalf("path %q", path)
		}
	})
}

func FuzzShownKey(f *testing.F) {
	for _, seed := range []string{"", "alice", "..", "a/b", "a\nb", "\xff\xfe", `"a\x2fb"`, "x…", strings.Repeat("\U0010ffff", 20)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, key string) {
		shown := shownKey(key)
		if len(shown) > maxShownKey+len(`""…`) || strings.Contains(shown, "/") || !safeToShow(shown) || shown == "" || shown == "." || shown == ".." {
			t.Fatalf("%q is shown as %q", key, shown)
		}
		if strings.HasSuffix(shown, "…") {
			return // cut
		}
		back := shown
		if shown[0] == '"' {
			var err error
			if back, err = strconv.Unquote(shown); err != nil {
				t.Fatalf("%q is shown as %s: %v", key, shown, err)
			}
		}
		if back != key {
			t.Fatalf("%q is shown as %s, which reads as %q", key, shown, back)
		}
	})
}

func safeToShow(s string) bool {
	for _, r := range s {
		if !strconv.IsPrint(r) {
			return false
		}
	}
	return utf8.ValidString(s)
}
