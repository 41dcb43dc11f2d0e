package websocket

import (
	"encoding/binary"
	"time"
)

// frames follows the frames in the bytes that come from a peer (RFC 6455, section 5.2), to count them; it judges
// nothing else, which is left to the library. It holds no payload. It belongs to the goroutine that reads.
type frames struct {
	rate bucket
	most uint64 // payload of a message, as it is sent

	header [14]byte
	have   int    // bytes of header
	rest   uint64 // of the payload
	began  time.Time
	open   bool   // a message has begun
	size   uint64 // of its payload so far

	closed bool   // a close frame has been seen
	broken Reason // the first bound that was broken, or none
}

const (
	opContinuation = 0x0
	opBinary       = 0x2
	opClose        = 0x8
)

// underway tells whether something has begun that has not ended.
func (f *frames) underway() bool { return f.have > 0 || f.rest > 0 || f.open }

func (f *frames) scan(p []byte, now time.Time) {
	for len(p) > 0 {
		if f.rest > 0 {
			n := min(f.rest, uint64(len(p)))
			f.rest -= n
			p = p[n:]
			f.endFrame()
			continue
		}
		if !f.underway() {
			f.began = now
		}
		f.header[f.have] = p[0]
		f.have++
		p = p[1:]
		if f.have == f.headerLen() {
			f.beginFrame(now)
			f.have = 0
			f.endFrame()
		}
	}
}

// headerLen is how long the header is, as far as one can tell by now.
func (f *frames) headerLen() int {
	if f.have < 2 {
		return 2
	}
	n := 2
	switch f.header[1] & 0x7f {
	case 126:
		n += 2
	case 127:
		n += 8
	}
	if f.header[1]&0x80 != 0 {
		n += 4 // the mask
	}
	return n
}

func (f *frames) beginFrame(now time.Time) {
	opcode := f.header[0] & 0x0f
	length := uint64(f.header[1] & 0x7f)
	switch length {
	case 126:
		length = uint64(binary.BigEndian.Uint16(f.header[2:]))
	case 127:
		length = binary.BigEndian.Uint64(f.header[2:])
	}
	f.rest = length
	f.closed = f.closed || opcode == opClose
	if !f.rate.take(now) {
		f.breach(ReasonFrameRate)
	}
	if opcode > opBinary {
		return
	}
	if opcode != opContinuation {
		f.size = 0
	}
	f.open = true
	// The length may be anything up to 1<<64-1: no sum before it is known to be small.
	if length > f.most || f.size+length > f.most {
		f.breach(ReasonMessageTooBig)
		length = 0
	}
	f.size += length
}

// endFrame ends the message if all of its last frame has come. A control frame amid a message does not end it.
func (f *frames) endFrame() {
	if f.rest == 0 && f.header[0]&0x80 != 0 && f.header[0]&0x0f <= opBinary {
		f.open = false
	}
}

func (f *frames) breach(r Reason) {
	if f.broken == "" {
		f.broken = r
	}
}
