package golang

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/headcount-go/headcount/audit/report"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// The programs in testdata say at the end of a line what is to be found there: // want HC101 high.
// A line that says nothing must not be found.
func TestReviewFindsWhatIsMarkedAndNothingElse(t *testing.T) {
	for _, name := range []string{"bulk", "api", "queues", "listeners", "inside"} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join("testdata", name)
			res := review(t, dir)
			var got []string
			for _, f := range res.Findings {
				if strings.HasPrefix(f.Rule, "HC10") {
					got = append(got, fmt.Sprintf("%s:%d %s %s", f.File, f.Line, f.Rule, confidences[f.Confidence]))
				}
			}
			if want := marked(t, dir); !slices.Equal(got, want) {
				t.Errorf("missing: %q\nnot wanted: %q", except(want, got), except(got, want))
			}
			if len(res.Unread) > 0 {
				t.Errorf("unread: %v", res.Unread)
			}
		})
	}
}

var confidences = map[report.Confidence]string{report.Low: "low", report.Medium: "medium", report.High: "high"}

// review is the result for a directory, made once for all tests that look at it.
func review(t testing.TB, dir string) report.Result {
	t.Helper()
	if res, ok := reviewed[dir]; ok {
		return res
	}
	t.Setenv("GOWORK", "off")
	res, err := Review(context.Background(), dir, nil, Options{Offline: true})
	if err != nil {
		t.Fatal(err)
	}
	reviewed[dir] = res
	return res
}

var reviewed = map[string]report.Result{}

func marked(t *testing.T, dir string) []string {
	t.Helper()
	var marks []string
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".go" {
			return err
		}
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		defer f.Close()
		rel, _ := filepath.Rel(dir, path)
		lines := bufio.NewScanner(f)
		for n := 1; lines.Scan(); n++ {
			if _, mark, ok := strings.Cut(lines.Text(), "// want "); ok {
				marks = append(marks, fmt.Sprintf("%s:%d %s", filepath.ToSlash(rel), n, mark))
			}
		}
		return lines.Err()
	})
	if err != nil {
		t.Fatal(err)
	}
	return marks
}

func except(a, b []string) []string {
	var rest []string
	for _, s := range a {
		if !slices.Contains(b, s) {
			rest = append(rest, s)
		}
	}
	return rest
}

func TestReviewSaysTheSameAgain(t *testing.T) {
	t.Setenv("GOWORK", "off")
	for _, dir := range []string{"testdata/api", "testdata/queues", "testdata/inventory"} {
		again, err := Review(context.Background(), dir, nil, Options{Offline: true})
		if err != nil {
			t.Fatal(err)
		}
		if first := review(t, dir); !reflect.DeepEqual(first, again) {
			t.Errorf("%s: %+v\nand then %+v", dir, first, again)
		}
	}
}
