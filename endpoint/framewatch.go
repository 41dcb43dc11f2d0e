package endpoint

import "sync/atomic"

// A frameWatch counts the resets of an HTTP/2 connection.
type frameWatch struct{ limit *atomic.Int64 }

func newFrameWatch(limit *atomic.Int64) *frameWatch { return &frameWatch{limit} }

func (f *frameWatch) read([]byte) (tooMany bool) { return false }

func (f *frameWatch) wrote([]byte) {}
