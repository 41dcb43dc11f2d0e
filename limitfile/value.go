package limitfile

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"
	"github.com/headcount-go/headcount"
)

var number = regexp.MustCompile(`^([0-9]{1,3}(?:_[0-9]{3})+|[0-9]+)(k|M)?$`)

// number reads the value of a limit.
func (r *report) number(e *entry, n ast.Node) bool {
	t, ok := text(n)
	if !ok {
		r.add(e.valueAt, "%s is %s; it must be a number", e.limit, kindOf(n))
		return false
	}
	value, problem := readNumber(t)
	if problem != "" {
		r.add(e.valueAt, "%s %s %s", e.limit, shown(t), problem)
		return false
	}
	e.value = value
	return true
}

// ParseValue reads a value as it stands in a file: 50000, 50_000, 50k, 2M or unlimited.
func ParseValue(s string) (int, error) {
	value, problem := readNumber(s)
	if problem != "" {
		return 0, fmt.Errorf("%s %s", shown(s), problem)
	}
	return value, nil
}

func readNumber(t string) (value int, problem string) {
	if t == "unlimited" {
		return headcount.Unlimited, ""
	}
	m := number.FindStringSubmatch(t)
	switch {
	case strings.HasPrefix(t, "-"):
		return 0, "is negative; 0 admits nothing, unlimited any number"
	case m == nil:
		return 0, "is not a number: write 50000, 50_000, 50k (thousands) or 2M (millions)"
	case len(m[1]) > 1 && m[1][0] == '0':
		return 0, "begins with 0, which some readers take for octal"
	}
	n, err := strconv.ParseInt(strings.ReplaceAll(m[1], "_", ""), 10, 64)
	unit := map[string]int64{"": 1, "k": 1_000, "M": 1_000_000}[m[2]]
	if err != nil || n > headcount.MaxLimit/unit {
		return 0, fmt.Sprintf("is above %d, the largest limit there is", headcount.MaxLimit)
	}
	return int(n * unit), ""
}

// date reads a day or a time.
func (r *report) date(to *time.Time, p pair, t string) bool {
	for _, layout := range []string{time.DateOnly, time.RFC3339} {
		if d, err := time.Parse(layout, t); err == nil && !d.IsZero() {
			*to = d
			return true
		}
	}
	r.add(placeOf(p.value), "%s %s is not a date: write 2027-03-01, or 2027-03-01T18:00:00Z", p.key, shown(t))
	return false
}
