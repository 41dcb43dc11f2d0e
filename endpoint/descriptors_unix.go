//go:build unix

package endpoint

import (
	"errors"
	"net"
	"os"
	"syscall"
)

// maxDescriptors is how many descriptors the process may have open.
func maxDescriptors() (int, bool) {
	var r syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &r) != nil {
		return 0, false
	}
	return int(min(uint64(r.Cur), 1<<30)), true
}

// descriptorOf is the number of a connection's descriptor. The kernel gives the lowest that is free, so a high number
// says that few are left, without counting them.
func descriptorOf(c net.Conn) (int, bool) {
	sc, ok := c.(syscall.Conn)
	if !ok {
		return 0, false
	}
	raw, err := sc.SyscallConn()
	if err != nil {
		return 0, false
	}
	n := -1
	if err := raw.Control(func(fd uintptr) { n = int(fd) }); err != nil {
		return 0, false
	}
	return n, true
}

func outOfDescriptors(err error) bool {
	return errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE)
}

// spareDescriptor is kept open to be given up when there is no other: with it, a connection that the process has no
// descriptor for can be accepted and closed, instead of staying in the kernel's queue.
type spareDescriptor struct{ file *os.File }

func (s *spareDescriptor) take() { s.file, _ = os.Open(os.DevNull) }

// giveUp reports whether there was one.
func (s *spareDescriptor) giveUp() bool {
	if s.file == nil {
		return false
	}
	_ = s.file.Close()
	s.file = nil
	return true
}
