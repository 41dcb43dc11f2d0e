package endpoint

import (
	"net"
	"syscall"
)

// boundUnsent bounds what the kernel holds of a response that it cannot send yet: TCP_NOTSENT_LOWAT, see tcp(7). Else it
// takes megabytes, and asks for more only when a third of that is gone: from here a slow peer looked like one that takes
// nothing. A connection does not have it from its listener.
func boundUnsent(c net.Conn) {
	tcp, ok := c.(*net.TCPConn)
	if !ok {
		return
	}
	if raw, err := tcp.SyscallConn(); err == nil {
		const notSentLowat = 25
		_ = raw.Control(func(fd uintptr) { // without it, all works but for such peers
			_ = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, notSentLowat, pieces)
		})
	}
}
