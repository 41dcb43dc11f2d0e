package attack

import (
	"net"
	"sync"
	"sync/atomic"
)

// hold is the set of connections that an attack keeps open.
type hold struct {
	tally  *Tally
	atMost int // 0: no end

	reserved atomic.Int64 // held or tried for

	mu struct {
		sync.Mutex
		open    map[net.Conn]struct{}
		dropped bool
	}
	readers sync.WaitGroup
}

// reserve takes the right to one more connection. It returns false, and remembers that, if the attacker has all it may.
func (h *hold) reserve() bool {
	if n := h.reserved.Add(1); h.atMost == 0 || int(n) <= h.atMost {
		return true
	}
	h.release()
	h.tally.capped.Store(true)
	return false
}

func (h *hold) release() { h.reserved.Add(-1) }

// keep takes over an open connection, for which there is a reservation, and serves it until one of the two sides closes
// it. ended is called with the error of serve if that is the application's doing; nil counts it as closed.
func (h *hold) keep(conn net.Conn, serve func() error, ended func(error)) (kept bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.mu.dropped {
		hangUp(conn)
		return false
	}
	if h.mu.open == nil {
		h.mu.open = make(map[net.Conn]struct{})
	}
	h.mu.open[conn] = struct{}{}
	h.tally.took()
	h.readers.Go(func() {
		err := serve() // which only says how the end came about
		if h.forget(conn) {
			if ended != nil {
				ended(err)
			} else {
				h.tally.closed.Add(1)
			}
			hangUp(conn)
			h.release()
		}
	})
	return true
}

// forget takes a connection out of the set and its count. It reports false if that had been done before.
func (h *hold) forget(conn net.Conn) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if _, ok := h.mu.open[conn]; !ok {
		return false
	}
	delete(h.mu.open, conn)
	h.tally.held.Add(-1)
	return true
}

// dropAll closes everything without a word, as an attacker does, and waits for the readers.
func (h *hold) dropAll() {
	h.mu.Lock()
	h.mu.dropped = true
	open := h.mu.open
	h.mu.open = nil
	// Counted down before the first is closed: the application may give a slot to somebody else the moment it sees
	// the close, and the count must never be above what is really held.
	h.tally.held.Add(-int64(len(open)))
	h.mu.Unlock()
	for conn := range open {
		hangUp(conn)
	}
	h.readers.Wait()
}

// hangUp resets the connection instead of closing it in order. An orderly close would leave the port in TIME_WAIT for a
// minute, and ten thousand of those use up the ports of the loopback address.
func hangUp(conn net.Conn) {
	if tcp, ok := conn.(*net.TCPConn); ok {
		tcp.SetLinger(0)
	}
	conn.Close()
}
