package endpoint

import (
	"errors"
	"io"
	"net/http"
	"os"
	"time"
)

// A SlowError is the error of a body that was sent too slowly. It matches [os.ErrDeadlineExceeded].
type SlowError struct{ Read int64 }

func (e *SlowError) Error() string { return "endpoint: the body comes too slowly" }

// Is matches os.ErrDeadlineExceeded.
func (e *SlowError) Is(target error) bool { return target == os.ErrDeadlineExceeded }

// Timeout and Temporary make it a net.Error.
func (e *SlowError) Timeout() bool   { return true }
func (e *SlowError) Temporary() bool { return false }

// A meteredBody holds the client to a least rate, to a time for all, and to a size. Only waiting for the client counts
// as time. It may be read on another goroutine than the handler's, and also when that has returned, as proxies do.
type meteredBody struct {
	io.ReadCloser
	x *exchange

	// Guarded by x.mu.
	pace    pace
	left    time.Duration // of the time for all
	read    int64
	ended   bool
	tooSlow bool
	reading bool
	due     time.Time   // when the read under way takes too long; zero for none
	timer   *time.Timer // that of HTTP/2
}

func (b *meteredBody) Read(p []byte) (int, error) {
	began := time.Now()
	if err := b.begin(began); err != nil {
		return 0, err
	}
	n, err := b.ReadCloser.Read(p)
	return n, b.end(n, time.Since(began), err)
}

// begin bounds the read. HTTP/2 takes a deadline as final, even if nobody reads when it comes, and so has a timer that
// runs only while somebody does.
func (b *meteredBody) begin(now time.Time) error {
	x := b.x
	x.mu.Lock()
	defer x.mu.Unlock()
	observing := x.limit.bytes.observing
	switch {
	case x.over:
		return http.ErrBodyReadAfterClose
	case b.tooSlow && !observing:
		return &SlowError{b.read}
	}
	b.reading = true
	d := min(b.pace.allowed(1), b.left)
	if d == NoTimeout || observing {
		return nil
	}
	b.due = now.Add(d)
	switch {
	case x.r.ProtoMajor == 1:
		_ = x.rc.SetReadDeadline(earlier(x.readDue, b.due))
	case b.timer == nil:
		b.timer = time.AfterFunc(d, b.cut)
	default:
		b.timer.Reset(d)
	}
	return nil
}

// cut ends a read that takes too long. It runs beside the read.
func (b *meteredBody) cut() {
	b.x.mu.Lock()
	defer b.x.mu.Unlock()
	if !b.x.over && b.reading && !time.Now().Before(b.due) {
		_ = b.x.rc.SetReadDeadline(time.Unix(1, 0))
	}
}

// end finds out whether the client was too slow.
func (b *meteredBody) end(n int, waited time.Duration, err error) error {
	x := b.x
	x.mu.Lock()
	defer x.mu.Unlock()
	observing := x.limit.bytes.observing
	late := errors.Is(err, os.ErrDeadlineExceeded) && !b.due.IsZero() && !time.Now().Before(b.due)
	b.reading, b.due = false, time.Time{}
	if b.timer != nil {
		b.timer.Stop()
	}
	b.read += int64(n)
	slow := b.pace.moved(n, waited)
	if b.left != NoTimeout {
		b.left -= waited
		slow = slow || b.left <= 0
	}
	if b.tooBig(n, err) {
		_ = x.limit.bytes.bigBody.Refuse()
	}
	if (late || slow && (err == nil || observing)) && !b.tooSlow && !x.over {
		b.tooSlow = true
		_ = x.limit.bytes.slowBody.Refuse()
		if !observing {
			return &SlowError{b.read}
		}
	}
	if err == io.EOF {
		b.ended = true
		if !observing && !x.over && x.r.ProtoMajor == 1 { // what comes next on the connection is not the body's
			_ = x.rc.SetReadDeadline(x.readDue)
		}
	}
	return err
}

// Close bounds how long HTTP/1 reads on: it closes a body by reading up to 256 KiB of it.
func (b *meteredBody) Close() error {
	x := b.x
	x.mu.Lock()
	bounded := x.r.ProtoMajor == 1 && !x.limit.bytes.observing && !x.over && !b.ended
	if bounded {
		finishBody(&x.rc)
	}
	x.mu.Unlock()
	err := b.ReadCloser.Close()
	x.mu.Lock()
	defer x.mu.Unlock()
	if bounded && err == nil {
		b.ended = true
		if !x.over {
			_ = x.rc.SetReadDeadline(x.readDue)
		}
	}
	return err
}

// tooBig reports whether this read, of n bytes, has passed the size.
func (b *meteredBody) tooBig(n int, err error) bool {
	if b.x.limit.bytes.observing {
		most := b.x.limit.cfg.sizes.Body
		return b.read > most && b.read-int64(n) <= most
	}
	var e *http.MaxBytesError
	return errors.As(err, &e)
}
