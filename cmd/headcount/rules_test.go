package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// output runs a command line on this input.
func output(t *testing.T, stdin string, args ...string) (string, error) {
	t.Helper()
	var out bytes.Buffer
	root := rootCommand()
	root.SetArgs(args)
	root.SetIn(strings.NewReader(stdin))
	root.SetOut(&out)
	root.SetErr(&out)
	err := root.ExecuteContext(t.Context())
	return out.String(), err
}

const shopTree = `{"Path":"shop","Kind":1,"Descendants":-1,"Children":[{"Path":"shop/carts","Kind":2,"Descendants":-1}]}`

func TestRulesAreForTheTreeThatIsGiven(t *testing.T) {
	file := filepath.Join(t.TempDir(), "tree.json")
	if err := os.WriteFile(file, []byte(shopTree), 0o600); err != nil {
		t.Fatal(err)
	}
	any, err := output(t, "", "rules")
	if err != nil || !strings.Contains(any, "expr: headcount_supervisor_unlimited == 1\n") {
		t.Errorf("error %v, without a tree:\n%s", err, any)
	}
	fromFile, err := output(t, "", "rules", "--near", "0.7", file)
	if err != nil || !strings.Contains(fromFile, `supervisor=~"(shop)(/.*)?"`) || !strings.Contains(fromFile, ">= 0.7") || strings.Contains(fromFile, "Subtree") {
		t.Errorf("error %v, from a file:\n%s", err, fromFile)
	}
	fromInput, err := output(t, shopTree, "rules", "--near=0.7", "-")
	if err != nil || fromInput != fromFile {
		t.Errorf("error %v, from standard input:\n%s", err, fromInput)
	}
}

func TestRulesTakeTheLabelMatchersOfPromQL(t *testing.T) {
	for _, match := range []string{`job="myapp"`, `job=~'a|b', env!="x{}\"y"`, "_a!~`x`"} {
		if text, err := output(t, "", "rules", "--match", match); err != nil || !strings.Contains(text, match) {
			t.Errorf("%s: error %v\n%s", match, err, text)
		}
	}
}

func TestTheDashboardIsJSON(t *testing.T) {
	for _, args := range [][]string{{"dashboard"}, {"dashboard", "-"}} {
		text, err := output(t, shopTree, args...)
		if err != nil || !json.Valid([]byte(text)) || !strings.Contains(text, "headcount_children_limit") {
			t.Errorf("%v: error %v\n%s", args, err, text)
		}
	}
}

func TestRulesSayWhatIsWrong(t *testing.T) {
	for line, want := range map[string]string{
		"rules --near 2":           "near is 2",
		"rules --match job=":       `match is "job="`,
		"rules --match job=myapp":  `match is "job=myapp"`,
		`rules --match {a="b"}`:    `match is "{a=`,
		`rules --match a="b"c="d"`: `match is "a=`,
		"rules no/such/file":       "no/such/file",
		"rules -":                  "not the JSON",
		"rules http://127.0.0.1:1": "cannot reach http://127.0.0.1:1",
		"dashboard --match {x}":    "without braces",
		"rules one two":            "at most 1",
		"dashboard --near 0.5":     "unknown flag",
		"dashboard ftp://a.b/tree": "must be http:// or https://",
	} {
		if _, err := output(t, "nothing", strings.Fields(line)...); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("headcount %s: error %v, want one that says %q", line, err, want)
		}
	}
}
