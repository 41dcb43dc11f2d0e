package wire

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/headcount-go/headcount"
	"github.com/headcount-go/headcount/internal/plain"
)

// A Value is that of a limit; in JSON a number, or "unlimited".
type Value int

// Unlimited is the value of a limit that bounds nothing.
const Unlimited = Value(headcount.Unlimited)

// UnlimitedWord is Unlimited in JSON, and for people.
const UnlimitedWord = "unlimited"

// MarshalJSON writes a number, or "unlimited".
func (v Value) MarshalJSON() ([]byte, error) {
	if v == Unlimited {
		return []byte(`"` + UnlimitedWord + `"`), nil
	}
	return json.Marshal(int(v))
}

// UnmarshalJSON reads what MarshalJSON writes.
func (v *Value) UnmarshalJSON(b []byte) error {
	if bytes.Equal(b, []byte(`"`+UnlimitedWord+`"`)) {
		*v = Unlimited
		return nil
	}
	var n int
	if err := json.Unmarshal(b, &n); err != nil {
		return fmt.Errorf("a limit is a whole number or %q", UnlimitedWord)
	}
	*v = Value(n)
	return nil
}

// String is the value for people: 50,000 or unlimited.
func (v Value) String() string {
	if v == Unlimited {
		return UnlimitedWord
	}
	return plain.Number(int64(v))
}
