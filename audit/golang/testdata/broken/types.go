// Package main does not compile, but most of it can be read.
package main

import "net"

func serve(l net.Listener) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		go handle(c) // want HC104 high
	}
}

func handle(c net.Conn) { c.Close() }

func wrong() int {
	var n int = "one"
	return undefined(n)
}

var also = missing.Name

func main() {}
