//go:build unix

package attack

import "syscall"

// smallWindow is for net.Dialer.Control.
func smallWindow(_, _ string, raw syscall.RawConn) error {
	var err error
	if outer := raw.Control(func(fd uintptr) {
		err = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF, 16<<10)
	}); outer != nil {
		return outer
	}
	return err
}
