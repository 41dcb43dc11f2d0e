package websocket

// A message waits to be sent.
type message struct {
	kind MessageType
	data []byte
}

// A queue is a ring of messages, guarded by the lock of its Conn. It grows as it is needed, up to what its owner lets in.
type queue struct {
	ring  []message
	head  int
	n     int
	bytes int
}

func (q *queue) push(m message) {
	if q.n == len(q.ring) {
		grown := make([]message, max(4, 2*q.n))
		for i := range q.n {
			grown[i] = q.ring[(q.head+i)%q.n]
		}
		q.ring, q.head = grown, 0
	}
	q.ring[(q.head+q.n)%len(q.ring)] = m
	q.n++
	q.bytes += len(m.data)
}

func (q *queue) pop() (message, bool) {
	if q.n == 0 {
		return message{}, false
	}
	m := q.ring[q.head]
	q.ring[q.head] = message{} // or the ring would keep its bytes
	q.head = (q.head + 1) % len(q.ring)
	q.n--
	q.bytes -= len(m.data)
	return m, true
}
