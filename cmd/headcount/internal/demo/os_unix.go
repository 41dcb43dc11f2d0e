//go:build unix

package demo

import (
	"math"
	"os"
	"os/exec"
	"syscall"
)

// ownGroup keeps the interrupt of a terminal, which goes to a whole process group, from the application: the demo
// decides when that ends.
func ownGroup(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

func askToStop(p *os.Process) error { return p.Signal(syscall.SIGTERM) }

// descriptorLimit returns how many files and sockets a process may have open. The Go runtime has raised it to the hard
// limit at start, here and in the application alike.
func descriptorLimit() int {
	var r syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &r); err != nil {
		return 0
	}
	return int(min(uint64(r.Cur), math.MaxInt32))
}
