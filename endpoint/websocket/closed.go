package websocket

import (
	"errors"
	"fmt"

	coder "github.com/coder/websocket"
)

var (
	// ErrClosed is matched by every [ClosedError].
	ErrClosed = errors.New("websocket: closed")
	// ErrUpgrade is matched by every error from before the upgrade: the request has not become a websocket, and has been
	// answered.
	ErrUpgrade = errors.New("websocket: no upgrade")
	// ErrTooLong says that a message has more bytes than SendQueueBytes, and could never be sent.
	ErrTooLong = errors.New("websocket: the message is longer than the send queue may be")
)

// A Reason says why a connection has ended. The set is closed and small, to be counted by.
type Reason string

const (
	ReasonMessageTooBig Reason = "message_too_big" // a message above MaxMessage
	ReasonSlowMessage   Reason = "slow_message"    // a message not complete in MessageWithin, or a control frame in 5 s
	ReasonMessageRate   Reason = "message_rate"    // messages above MessageRate
	ReasonFrameRate     Reason = "frame_rate"      // frames above FrameRate: a flood of pings, pongs or fragments
	ReasonIdle          Reason = "idle"            // no message in IdleWithin
	ReasonNoPong        Reason = "no_pong"         // silent for PongWithin after a ping
	ReasonSlowConsumer  Reason = "slow_consumer"   // the send queue was full
	ReasonWriteStall    Reason = "write_stall"     // something could not be written in WriteWithin
	ReasonProtocol      Reason = "protocol_error"  // what came was not RFC 6455
	ReasonPeerClosed    Reason = "peer_closed"     // the peer said goodbye, or is gone
	ReasonGoingAway     Reason = "going_away"      // the context of Serve ended: a stop
	ReasonClosed        Reason = "closed"          // the handler returned, or called Close
)

// status is what the peer is told, and the words for it.
func (r Reason) status() (StatusCode, string) {
	switch r {
	case ReasonMessageTooBig:
		return StatusMessageTooBig, "message too big"
	case ReasonSlowMessage:
		return StatusPolicyViolation, "message too slow"
	case ReasonMessageRate:
		return StatusPolicyViolation, "too many messages"
	case ReasonFrameRate:
		return StatusPolicyViolation, "too many frames"
	case ReasonIdle:
		return StatusPolicyViolation, "idle"
	case ReasonNoPong:
		return StatusPolicyViolation, "no pong"
	case ReasonSlowConsumer, ReasonWriteStall:
		return StatusPolicyViolation, "too slow a reader"
	case ReasonProtocol:
		return StatusProtocolError, "protocol error"
	case ReasonGoingAway:
		return StatusGoingAway, "going away"
	}
	return StatusNormalClosure, ""
}

// A ClosedError says why a connection has ended. It matches [ErrClosed].
type ClosedError struct {
	Reason Reason
	// Code is what the peer was told or, for ReasonPeerClosed, what it told: StatusAbnormalClosure if it went without a word.
	Code StatusCode
	// Err is what the socket or the protocol had to say, or nil.
	Err error
}

func (e *ClosedError) Error() string {
	if e.Err != nil {
		return fmt.Sprintf("websocket: closed for %s (status %d): %v", e.Reason, e.Code, e.Err)
	}
	return fmt.Sprintf("websocket: closed for %s (status %d)", e.Reason, e.Code)
}

// Unwrap gives what the socket or the protocol had to say.
func (e *ClosedError) Unwrap() error { return e.Err }

// Is makes e match ErrClosed.
func (e *ClosedError) Is(target error) bool { return target == ErrClosed }

// MessageType says whether a message is text or bytes.
type MessageType = coder.MessageType

const (
	MessageText   = coder.MessageText
	MessageBinary = coder.MessageBinary
)

// StatusCode is the number in a close frame, RFC 6455, section 7.4. Those from 3000 to 4999 are free for applications.
type StatusCode = coder.StatusCode

const (
	StatusNormalClosure   = coder.StatusNormalClosure
	StatusGoingAway       = coder.StatusGoingAway
	StatusProtocolError   = coder.StatusProtocolError
	StatusUnsupportedData = coder.StatusUnsupportedData
	StatusAbnormalClosure = coder.StatusAbnormalClosure // never sent: the peer said nothing
	StatusPolicyViolation = coder.StatusPolicyViolation
	StatusMessageTooBig   = coder.StatusMessageTooBig
	StatusInternalError   = coder.StatusInternalError
	StatusTryAgainLater   = coder.StatusTryAgainLater
)
