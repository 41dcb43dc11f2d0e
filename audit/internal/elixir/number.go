package elixir

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// Int reports the value of an integer: 1_000, 0x1F, 0o17, 0b101 or ?c. It is false for a float and for what an int64 cannot hold.
func (n *Number) Int() (int64, bool) {
	if c, ok := strings.CutPrefix(n.Text, "?"); ok {
		return charValue(c)
	}
	digits, base := n.Text, 10
	if len(digits) > 2 && digits[0] == '0' {
		switch digits[1] {
		case 'x':
			digits, base = digits[2:], 16
		case 'o':
			digits, base = digits[2:], 8
		case 'b':
			digits, base = digits[2:], 2
		}
	}
	v, err := strconv.ParseInt(strings.ReplaceAll(digits, "_", ""), base, 64)
	return v, err == nil
}

func charValue(c string) (int64, bool) {
	escaped, isEscape := strings.CutPrefix(c, `\`)
	if isEscape && escaped != "" {
		c = escaped
	}
	r, size := utf8.DecodeRuneInString(c)
	if size == 0 || size != len(c) {
		return 0, false
	}
	if isEscape && r < utf8.RuneSelf {
		return int64(escapeByte(byte(r))), true
	}
	return int64(r), true
}

// escapeByte is the byte that a backslash and c stand for.
func escapeByte(c byte) byte {
	switch c {
	case '0':
		return 0
	case 'a':
		return '\a'
	case 'b':
		return '\b'
	case 'd':
		return 0x7f
	case 'e':
		return 0x1b
	case 'f':
		return '\f'
	case 'n':
		return '\n'
	case 'r':
		return '\r'
	case 's':
		return ' '
	case 't':
		return '\t'
	case 'v':
		return '\v'
	}
	return c
}
