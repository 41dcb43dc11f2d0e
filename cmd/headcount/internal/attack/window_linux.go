package attack

import "syscall"

// smallWindow makes a connection that takes little at a time, and that the other side gives little room to as well: what
// the kernel buffers there grows with the size of a segment.
func smallWindow(_, _ string, c syscall.RawConn) error {
	var err error
	const segment = 536 // of TCP_MAXSEG: the least that a host must take (RFC 1122, section 4.2.2.6)
	if e := c.Control(func(fd uintptr) {
		if err = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF, 4096); err == nil {
			err = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, syscall.TCP_MAXSEG, segment)
		}
	}); e != nil {
		return e
	}
	return err
}
