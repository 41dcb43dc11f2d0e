package headcount

import (
	"context"
	"sync"
	"time"
)

// A shared answer is dear to make, and asked for by many: it is made for one of them at a time, and whoever asks meanwhile
// or soon after gets the same. The zero value is ready.
type shared[T any] struct {
	mu   sync.Mutex
	last *T            // the answer to all until it has gone
	busy chan struct{} // closed when the one that is being made is there, or has failed; nil if none is
}

// get gives the last answer, or the one that is being made, or makes one. make also says for how long it is the answer; an
// error of it is its own caller's alone, and the next one makes its own. If ctx ends first, get returns its error.
func (s *shared[T]) get(ctx context.Context, make func() (answer *T, rest time.Duration, err error)) (*T, error) {
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		last, busy, mine := s.begin()
		switch {
		case last != nil:
			return last, nil
		case mine:
			return s.finish(make())
		}
		select {
		case <-busy:
		case <-ctx.Done():
		}
	}
}

// begin looks what there is, and takes it on to make an answer if there is nothing.
func (s *shared[T]) begin() (last *T, busy chan struct{}, mine bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.last == nil && s.busy == nil {
		s.busy = make(chan struct{})
		return nil, nil, true
	}
	return s.last, s.busy, false
}

func (s *shared[T]) finish(answer *T, rest time.Duration, err error) (*T, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	close(s.busy)
	s.busy = nil
	if err != nil {
		return nil, err
	}
	s.last = answer
	// It is forgotten when its time is over, not when the next one is asked for: it may be large.
	time.AfterFunc(rest, func() {
		s.mu.Lock()
		s.last = nil
		s.mu.Unlock()
	})
	return answer, nil
}
