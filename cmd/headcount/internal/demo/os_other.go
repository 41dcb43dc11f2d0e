//go:build !unix

package demo

import (
	"os"
	"os/exec"
)

func ownGroup(*exec.Cmd) {}

// askToStop has no gentle way here: stop then kills and says so.
func askToStop(*os.Process) error { return os.ErrInvalid }

// descriptorLimit returns 0: there is no such limit.
func descriptorLimit() int { return 0 }
