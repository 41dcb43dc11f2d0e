package report

import "strings"

// A Key tells a finding from others without its place in the file, so that it is the same finding after lines have moved.
type Key struct {
	Rule   string
	Symbol string
	Line   string // the line of the source, with single spaces
}

// Key is the key of a finding.
func (f Finding) Key() Key {
	return Key{f.Rule, f.Symbol, strings.Join(strings.Fields(f.Code), " ")}
}

// String is the key as one text.
func (k Key) String() string { return k.Rule + "\x00" + k.Symbol + "\x00" + k.Line }
