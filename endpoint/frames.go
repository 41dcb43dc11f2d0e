package endpoint

import "encoding/binary"

// A frameMeter counts the frames of one direction of an HTTP/2 connection (RFC 9113) from the bytes as they pass, in
// pieces of any size. It keeps nothing of them but an unfinished frame header, and allocates nothing.
//
//	preface ─→ header ─→ error code (RST_STREAM) ─→ rest of the payload ─→ header ...
//	   └──→ off           └──────────────────────────────┘
//
// The client's direction begins with the client's preface, the server's with a SETTINGS frame. A meter that does not
// find this turns itself off and lets all the rest pass unseen: the connection speaks HTTP/1, or websocket. net/http
// speaks HTTP/2 only after the very same bytes, so no client can be served and not counted. Frames are counted as soon
// as their header has been seen, resets once their error code has; payloads are not checked, the server does that.
//
// A meter belongs to the goroutine that passes the bytes: one for what is read from a connection and one for what is
// written to it. What both find is added up in a resetBudget. The zero value is a meter of the client's direction.
type frameMeter struct {
	direction meterDirection
	off       bool // what passes is not HTTP/2

	streams uint64 // opened by the client
	resets  uint64 // RST_STREAM frames
	failed  uint64 // those of them that tell of an error: neither NO_ERROR nor CANCEL
	forced  uint64 // those that the client made the server send; see forces
	empty   uint64 // frames of a stream that carry nothing and end nothing
	frames  [frameKinds]uint64

	stage meterStage
	got   uint8                   // bytes of this stage so far
	head  [frameHeaderLength]byte // the frame's
	left  uint32                  // bytes of the payload still to come
	code  uint32                  // the reset's, as far as it has come
	last  uint32                  // the highest stream that a HEADERS frame has named
	reset resetStreams            // by the server
}

type meterDirection uint8

const (
	fromClient meterDirection = iota
	fromServer
)

type meterStage uint8

const (
	atPreface meterStage = iota
	atHeader
	atCode
	atPayload
)

const (
	clientPreface     = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
	frameHeaderLength = 9
	resetCodeLength   = 4
	largestSettings   = 1<<14 - 1 // SETTINGS_MAX_FRAME_SIZE is 16,384 until a SETTINGS frame has said otherwise
)

// Frame types; kinds above frameContinuation count as frameUnknown.
const (
	frameData = iota
	frameHeaders
	framePriority
	frameReset
	frameSettings
	framePushPromise
	framePing
	frameGoAway
	frameWindowUpdate
	frameContinuation
	frameUnknown
	frameKinds
)

// Flags and error codes.
const (
	flagEndStream  = 0x1 // of DATA and HEADERS; of SETTINGS it is the acknowledgement
	flagEndHeaders = 0x4 // of HEADERS and CONTINUATION

	resetNoError  = 0x0
	resetInternal = 0x2
	resetCancel   = 0x8
)

// pass counts what is in the next piece of the stream. It returns how many resets in it count against the client's
// budget: all that the client sent, and those that it forced from the server.
func (m *frameMeter) pass(p []byte) (charged int) {
	before := m.charged()
	for len(p) > 0 && !m.off {
		switch m.stage {
		case atPreface:
			p = m.preface(p)
		case atHeader:
			n := copy(m.head[m.got:], p)
			p = p[n:]
			if m.got += uint8(n); m.got == frameHeaderLength {
				m.frame()
			}
		case atCode:
			n := min(len(p), resetCodeLength-int(m.got))
			for _, b := range p[:n] {
				m.code = m.code<<8 | uint32(b)
			}
			p = p[n:]
			if m.got += uint8(n); m.got == resetCodeLength {
				m.countReset(m.code)
				m.enter(atPayload)
			}
		case atPayload:
			n := min(uint64(len(p)), uint64(m.left))
			p = p[n:]
			m.left -= uint32(n)
		}
		if m.stage == atPayload && m.left == 0 {
			m.enter(atHeader)
		}
	}
	return int(m.charged() - before)
}

func (m *frameMeter) charged() uint64 {
	if m.direction == fromClient {
		return m.resets
	}
	return m.forced
}

// control counts the frames that belong to no request: a flood of them costs the server answers and bookkeeping. A
// client that downloads much sends many WINDOW_UPDATE frames too.
func (m *frameMeter) control() uint64 {
	f := &m.frames
	return f[frameSettings] + f[framePing] + f[framePriority] + f[frameWindowUpdate] + f[frameGoAway] + f[frameUnknown]
}

func (m *frameMeter) enter(s meterStage) { m.stage, m.got = s, 0 }

// preface compares the beginning, and gives what follows it.
func (m *frameMeter) preface(p []byte) []byte {
	if m.direction == fromServer {
		m.enter(atHeader)
		return p
	}
	n := min(len(p), len(clientPreface)-int(m.got))
	if string(p[:n]) != clientPreface[m.got:int(m.got)+n] {
		m.off, m.got = true, 0
		return nil
	}
	if m.got += uint8(n); int(m.got) == len(clientPreface) {
		m.enter(atHeader)
	}
	return p[n:]
}

// frame counts the frame whose header has come.
func (m *frameMeter) frame() {
	length := uint32(m.head[0])<<16 | uint32(m.head[1])<<8 | uint32(m.head[2])
	kind, flags := m.head[3], m.head[4]
	stream := m.stream()
	if m.direction == fromServer && m.frames[frameSettings] == 0 && !beginsServer(length, kind, flags, stream) {
		m.off = true
		return
	}

	m.frames[min(kind, frameUnknown)]++
	switch kind {
	case frameHeaders:
		if m.direction == fromClient && stream > m.last { // not trailers
			m.last = stream
			m.streams++
		}
		if length == 0 && flags&(flagEndStream|flagEndHeaders) == 0 {
			m.empty++
		}
	case frameData:
		if length == 0 && flags&flagEndStream == 0 {
			m.empty++
		}
	case frameContinuation:
		if length == 0 && flags&flagEndHeaders == 0 {
			m.empty++
		}
	}

	m.left = length
	m.enter(atPayload)
	if kind == frameReset {
		if length < resetCodeLength {
			m.countReset(resetNoError) // the server ends the connection for it
			return
		}
		m.left, m.code = length-resetCodeLength, 0
		m.enter(atCode)
	}
}

// stream is what the frame's header names; its highest bit is reserved.
func (m *frameMeter) stream() uint32 { return binary.BigEndian.Uint32(m.head[5:]) &^ (1 << 31) }

// beginsServer tells whether a frame can be the first one of a server: SETTINGS, not an acknowledgement.
func beginsServer(length uint32, kind, flags byte, stream uint32) bool {
	return kind == frameSettings && flags&flagEndStream == 0 && stream == 0 && length <= largestSettings && length%6 == 0
}

func (m *frameMeter) countReset(code uint32) {
	m.resets++
	if code != resetNoError && code != resetCancel {
		m.failed++
	}
	if m.direction == fromServer && m.reset.first(m.stream()) && forces(code) {
		m.forced++
	}
}

// forces tells whether a server's first reset of a stream, with this code, is what the client made it do. NO_ERROR
// follows a whole response whose request was not read to its end, CANCEL is the server's wish, and net/http sends
// INTERNAL_ERROR when a handler panics or its time to write is over: none of these may cut the other requests of an
// honest client. The rest are answers to a breach of the protocol, and an attacker breaches it on purpose
// ("MadeYouReset", CVE-2025-8671): the stream no longer counts against the limit of streams, while its handler still
// runs.
func forces(code uint32) bool {
	return code != resetNoError && code != resetCancel && code != resetInternal
}

// resetStreams remembers which of the latest streams the server has reset. Only the first reset of a stream can be
// forced: a refused upload is reset with NO_ERROR, and then net/http answers each DATA frame that was still on its way
// with one more reset, STREAM_CLOSED, though the client did nothing wrong.
//
// It is the sliding window of IPsec's anti-replay check (RFC 6479). What is older than the window is taken for a first
// reset.
type resetStreams struct {
	top  uint32 // the highest one, counted as clients do: every other number
	bits [4]uint64
}

// first notes a reset of the stream, and tells whether it is the first one.
func (r *resetStreams) first(stream uint32) bool {
	const window = uint32(len(r.bits) * 64)
	n := stream >> 1
	if n > r.top {
		for i := min(n-r.top, window); i > 0; i-- {
			at := (n - i + 1) % window
			r.bits[at/64] &^= 1 << (at % 64)
		}
		r.top = n
	}
	if r.top-n >= window {
		return true
	}
	word, bit := &r.bits[n%window/64], uint64(1)<<(n%64)
	was := *word&bit != 0
	*word |= bit
	return !was
}
