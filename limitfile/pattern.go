package limitfile

import (
	"errors"
	"fmt"
	"path"
	"strings"
)

// A pattern is a path, or stands for several.
type pattern struct {
	text    string
	names   []string
	literal bool // no pattern at all
	deep    int  // how many **
	whole   int  // names without a pattern
	letters int  // outside of patterns
	where   at
}

const maxPath = 1024

func newPattern(s string) (pattern, error) {
	p := pattern{text: s, names: strings.Split(s, "/"), literal: true}
	switch {
	case len(s) > maxPath:
		return p, fmt.Errorf("is longer than %d bytes", maxPath)
	case len(p.names) > 64:
		return p, errors.New("has more than 64 names")
	}
	for _, n := range p.names {
		switch {
		case n == "":
			return p, errors.New("has an empty name in it: paths are like myapp/users")
		case n == "**":
			p.deep++
			p.literal = false
			continue
		case strings.Contains(n, "**"):
			return p, errors.New("has ** as a part of a name; it stands for whole names")
		case strings.ContainsAny(n, `*?[\`):
			if _, err := path.Match(n, ""); err != nil {
				return p, errors.New("is not a pattern: a [ has no ], or is empty")
			}
			p.literal = false
		default:
			p.whole++
		}
		p.letters += len(n) - strings.Count(n, "*") - strings.Count(n, "?")
	}
	if p.deep > 4 {
		return p, errors.New("has more than four **")
	}
	return p, nil
}

// matches reports whether the pattern stands for the path, given in names.
func (p *pattern) matches(names []string) bool { return match(p.names, names) }

func match(pattern, names []string) bool {
	for len(pattern) > 0 {
		if pattern[0] == "**" {
			for i := 0; i <= len(names); i++ {
				if match(pattern[1:], names[i:]) {
					return true
				}
			}
			return false
		}
		if len(names) == 0 {
			return false
		}
		if ok := pattern[0] == names[0]; !ok {
			if ok, _ = path.Match(pattern[0], names[0]); !ok {
				return false
			}
		}
		pattern, names = pattern[1:], names[1:]
	}
	return len(names) == 0
}

// above reports whether the pattern can stand for something below the path.
func (p *pattern) above(names []string) bool {
	for i := 1; i < len(p.names); i++ {
		if match(p.names[:i], names) {
			return true
		}
	}
	return false
}

// compare is above zero if p is more specific than q.
func (p *pattern) compare(q *pattern) int {
	switch {
	case p.literal != q.literal:
		if p.literal {
			return 1
		}
		return -1
	case p.deep != q.deep:
		return q.deep - p.deep
	case p.whole != q.whole:
		return p.whole - q.whole
	}
	return p.letters - q.letters
}
