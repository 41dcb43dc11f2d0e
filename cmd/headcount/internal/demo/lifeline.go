package demo

import (
	"bufio"
	"io"
	"os"
)

// stayWord is what the demo writes to the application's standard input to let it outlive the demo.
const stayWord = "stay\n"

// orphaned is the exit status of an application whose demo has ended.
const orphaned = 3

// Lifeline runs in the application's process. It ends that process when in, its standard input, ends: the demo that
// started it is gone, by whatever way. It returns when the demo has said that the application may stay.
//
// The death signal that Linux can send to a child would not do: it is tied to the thread that started the child, which
// the Go runtime may end, and other systems have none.
func Lifeline(in io.Reader) {
	if word, _ := bufio.NewReader(in).ReadString('\n'); word == stayWord {
		return
	}
	os.Exit(orphaned)
}
