package elixir

import "testing"

func TestIntegersOfEveryFormHaveTheirValue(t *testing.T) {
	for text, want := range map[string]int64{
		"0": 0, "42": 42, "007": 7, "1_000_000": 1_000_000, "0xFF_ff": 0xffff, "0o17": 15, "0b1010": 10, "?a": 'a', "?é": 'é', `?\n`: '\n',
		`?\s`: ' ', `?\\`: '\\', `?\e`: 27, `?\d`: 127, "??": '?', `?\"`: '"', "? ": ' ', `?\é`: 'é', "9223372036854775807": 1<<63 - 1,
	} {
		if got, ok := (&Number{Text: text}).Int(); !ok || got != want {
			t.Errorf("%s: %d, %v", text, got, ok)
		}
	}
}

func TestFloatsAndIntegersTooLargeHaveNone(t *testing.T) {
	for _, text := range []string{"1.5", "1.0e10", "9223372036854775808", "123_456_789_012_345_678_901", ""} {
		if got, ok := (&Number{Text: text}).Int(); ok {
			t.Errorf("%s: %d", text, got)
		}
	}
}
