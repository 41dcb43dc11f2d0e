//go:build !unix

package app

import "os"

// hangups gives nothing: this system has no SIGHUP. A file that changes is read all the same.
func hangups() (c <-chan os.Signal, release func()) { return nil, func() {} }
