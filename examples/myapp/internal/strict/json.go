// Package strict reads JSON that comes from outside: one value, known fields only, errors that say what is wrong.
package strict

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// A Problem says why something is not the JSON that is needed.
type Problem struct{ text string }

func (p *Problem) Error() string { return p.text }

// Decode reads exactly one JSON value from r into the value that into points to. Fields that it does not have, and
// anything after the value, are a *Problem, as is bad JSON. How much r may give must be bounded by the caller; an error
// of r's own is returned as it is.
func Decode(r io.Reader, into any) error {
	source := &source{r: r}
	dec := json.NewDecoder(source)
	dec.DisallowUnknownFields()
	err := dec.Decode(into)
	if err == nil {
		// Only white space may follow. Reading it also empties r, so that a connection can be used again.
		if _, err = dec.Token(); errors.Is(err, io.EOF) {
			return nil
		}
		err = errors.New("there is more after the first value")
	}
	switch {
	case source.err != nil:
		return source.err
	case errors.Is(err, io.EOF):
		return &Problem{"the body is empty, a JSON object is needed"}
	}
	return &Problem{fmt.Sprintf("the body is not the JSON that is needed: %v", err)}
}

// source tells errors of the reader from those of the JSON.
type source struct {
	r   io.Reader
	err error
}

func (s *source) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	if err != nil && err != io.EOF {
		s.err = err
	}
	return n, err
}
