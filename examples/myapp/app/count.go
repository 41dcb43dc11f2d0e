package app

import (
	"fmt"
	"strconv"

	"github.com/headcount-go/headcount"
)

// count is a flag that is a number, or none: "unlimited".
type count int

const unlimitedWord = "unlimited"

func (n *count) String() string {
	if *n == headcount.Unlimited {
		return unlimitedWord
	}
	return strconv.Itoa(int(*n))
}

func (n *count) Set(text string) error {
	if text == unlimitedWord {
		*n = headcount.Unlimited
		return nil
	}
	v, err := strconv.Atoi(text)
	if err != nil {
		return fmt.Errorf("is neither a number nor %q", unlimitedWord)
	}
	*n = count(v)
	return nil
}
