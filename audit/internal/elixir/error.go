package elixir

import "fmt"

// A SyntaxError says where a file can't be read: what must stand there and what does.
type SyntaxError struct {
	File string
	Pos
	Expected string
	Found    string
}

func (e *SyntaxError) Error() string {
	return fmt.Sprintf("%s:%d:%d: expected %s, found %s", e.File, e.Line, e.Column, e.Expected, e.Found)
}

// endOfFile is what is found where a file ends too early.
const endOfFile = "the end of the file"
