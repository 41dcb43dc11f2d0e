//go:build unix

package trial

import (
	"os/exec"
	"syscall"
)

func ownGroup(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

// lowerPriority has the scheduler serve the target and the honest users first. Real attackers bring their own
// processors; what theirs would take here is not part of the attack. It goes by the process group, since on Linux the
// priority of a process is only that of its first thread.
func lowerPriority() { _ = syscall.Setpriority(syscall.PRIO_PGRP, 0, 10) } // without it the attack is unfair, not wrong
