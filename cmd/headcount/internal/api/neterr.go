package api

import (
	"errors"
	"net"
	"syscall"
)

func isConnectionRefused(err error) bool { return errors.Is(err, syscall.ECONNREFUSED) }

// isConnectionLost holds for a connection that was there and is gone. net/http hides the cause behind errors of its
// own in places, so whatever the network layer reports as a failed read or write counts too.
func isConnectionLost(err error) bool {
	var op *net.OpError
	return errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) || errors.Is(err, net.ErrClosed) ||
		(errors.As(err, &op) && (op.Op == "read" || op.Op == "write"))
}
