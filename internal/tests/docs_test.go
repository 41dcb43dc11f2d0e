package tests

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	ruleRow  = regexp.MustCompile(`(?m)^\| ([A-Z]+[0-9]+) \| (.*) \| (.*) \| (.*)\|$`)
	testFunc = regexp.MustCompile(`(?m)^func (Test\w+)\(t \*testing\.T\)`)
	testName = regexp.MustCompile(`\bTest\w+`)

	anyTestFunc = regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)\w+)\(`)
	anyTestName = regexp.MustCompile("`((?:Test|Fuzz)\\w+)`")
)

// docs/otp.md is worth what it says only if each rule is there and each test it names exists.
func TestEveryRuleOfOTPHasItsVerdictAndItsTest(t *testing.T) {
	page, err := os.ReadFile("../../docs/otp.md")
	if err != nil {
		t.Fatal(err)
	}
	exists := map[string]bool{}
	files, err := filepath.Glob("*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range testFunc.FindAllStringSubmatch(string(source), -1) {
			exists[m[1]] = true
		}
	}

	rows := map[string][]string{}
	for _, m := range ruleRow.FindAllStringSubmatch(string(page), -1) {
		if rows[m[1]] != nil {
			t.Errorf("%s has two rows", m[1])
		}
		rows[m[1]] = m
	}
	for series, last := range map[string]int{
		"S": 56, "E": 3, "D": 19, "T": 14, "P": 6, "R": 6, "C": 5, "TI": 6, "RA": 10, "H": 5, "O": 4, "V": 2,
	} {
		for i := 1; i <= last; i++ {
			rule := fmt.Sprint(series, i)
			if rows[rule] == nil {
				t.Errorf("%s has no row", rule)
				continue
			}
			verdict, tests := rows[rule][3], testName.FindAllString(rows[rule][4], -1)
			delete(rows, rule)
			wantsTest := strings.HasPrefix(verdict, "same") || strings.HasPrefix(verdict, "differs")
			if !wantsTest && !strings.HasPrefix(verdict, "BEAM only") && !strings.HasPrefix(verdict, "not here") {
				t.Errorf("%s has the verdict %q", rule, verdict)
			}
			if wantsTest && len(tests) == 0 {
				t.Errorf("%s is %q and names no test", rule, verdict)
			}
			for _, name := range tests {
				if !exists[name] {
					t.Errorf("%s names %s, which does not exist", rule, name)
				}
			}
		}
	}
	for rule := range rows {
		t.Errorf("%s is no rule", rule)
	}
}

// The same of docs/threat-model.md, whose tests are anywhere in the project.
func TestEveryDefenceOfTheThreatModelNamesTestsThatExist(t *testing.T) {
	page, err := os.ReadFile("../../docs/threat-model.md")
	if err != nil {
		t.Fatal(err)
	}
	exists := map[string]bool{}
	if err := filepath.WalkDir("../..", func(path string, _ os.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		source, err := os.ReadFile(path)
		for _, m := range anyTestFunc.FindAllStringSubmatch(string(source), -1) {
			exists[m[1]] = true
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	named := anyTestName.FindAllStringSubmatch(string(page), -1)
	if len(named) < 40 {
		t.Errorf("the page names %d tests, which is too few to be read right", len(named))
	}
	for _, m := range named {
		if !exists[m[1]] {
			t.Errorf("the page names %s, which does not exist", m[1])
		}
	}
}
