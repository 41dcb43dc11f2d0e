//go:build !linux

package endpoint

import "net"

// boundUnsent is for Linux only: elsewhere the kernel says by itself that there is room for little.
func boundUnsent(net.Conn) {}
