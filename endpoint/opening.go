package endpoint

import (
	"container/list"
	"net"
	"sync"
	"time"
)

// openings are the connections whose PROXY header is awaited, in the order in which they came. A proxy sends its header
// at once, so the one that has been awaited for the longest is the least likely to come: when room gets short, it gives
// way to a new one.
type openings struct {
	mu  sync.Mutex
	all list.List // of net.Conn
}

// add puts a connection behind the others. If there are crowd of them already, the first one is cut.
func (o *openings) add(c net.Conn, crowd int) *list.Element {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.all.Len() >= crowd {
		if first := o.all.Front(); first != nil {
			cut(first.Value.(net.Conn))
			o.all.Remove(first)
		}
	}
	return o.all.PushBack(c)
}

// remove takes a connection out. It is not cut any more when remove has returned.
func (o *openings) remove(e *list.Element) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.all.Remove(e)
}

// cut ends the reading of a connection.
func cut(c net.Conn) { _ = c.SetReadDeadline(time.Unix(1, 0)) }
