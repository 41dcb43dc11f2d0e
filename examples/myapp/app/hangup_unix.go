//go:build unix

package app

import (
	"os"
	"os/signal"
	"syscall"
)

// hangups gives the signals by which an operator asks for the file of limits to be read again.
func hangups() (c <-chan os.Signal, release func()) {
	s := make(chan os.Signal, 1)
	signal.Notify(s, syscall.SIGHUP)
	return s, func() { signal.Stop(s) }
}
