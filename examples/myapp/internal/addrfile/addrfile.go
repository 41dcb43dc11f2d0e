// Package addrfile tells another process where this one listens, which is not known before if the port was 0.
package addrfile

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
)

// Write writes the address to the file; "" is no file. The file appears with all of its content, so that whoever waits
// for it never reads half of it.
func Write(file string, addr net.Addr) error {
	if file == "" {
		return nil
	}
	f, err := os.CreateTemp(filepath.Dir(file), ".addr-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // fails once it is renamed
	_, err = fmt.Fprintln(f, addr)
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return err
	}
	return os.Rename(f.Name(), file)
}
