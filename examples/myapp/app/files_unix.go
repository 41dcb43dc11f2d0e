//go:build unix

package app

import "syscall"

// maxFiles is RLIMIT_NOFILE. The runtime has raised it to the hard limit at the start of the process.
func maxFiles() int {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return unknownFiles
	}
	return int(min(uint64(limit.Cur), 1<<24))
}
