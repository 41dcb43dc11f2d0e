package attack

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
)

// host is what requests name as their host.
const host = "victim.test"

// stranger returns the header line of a user that nobody knows.
func stranger(i int) string { return fmt.Sprintf("Authorization: Bearer new-%d\r\n", i) }

// head returns the lines of a request up to where more header lines may follow.
func head(method, path, lines string) string {
	return method + " " + path + " HTTP/1.1\r\nHost: " + host + "\r\n" + lines
}

func newLines(conn net.Conn) *bufio.Reader { return bufio.NewReaderSize(conn, 4096) }

// ask sends a request and reads the answer. It reports the status and whether the connection can take another one.
func (c *campaign) ask(conn net.Conn, in *bufio.Reader, method, path, lines, body string) (status int, goOn bool) {
	if method != "GET" {
		lines += fmt.Sprintf("Content-Length: %d\r\n", len(body))
	}
	if _, err := io.WriteString(conn, head(method, path, lines)+"\r\n"+body); err != nil {
		return 0, false
	}
	c.tally.sent.Add(1)
	return c.answer(in)
}

// answer reads one answer with its body.
func (c *campaign) answer(in *bufio.Reader) (status int, goOn bool) {
	resp, err := http.ReadResponse(in, nil)
	if err != nil {
		return 0, false
	}
	c.tally.answer(resp.StatusCode)
	_, err = io.Copy(io.Discard, resp.Body)
	resp.Body.Close()
	return resp.StatusCode, err == nil && !resp.Close
}

// countAnswers returns a reader for heed that counts the first answer on a connection by its status line.
func (c *campaign) countAnswers() func([]byte) {
	first := true
	return func(p []byte) {
		if !first {
			return
		}
		first = false
		line, _, _ := strings.Cut(string(p), "\r\n")
		var status int
		if _, err := fmt.Sscanf(line, "HTTP/1.1 %d", &status); err == nil {
			c.tally.answer(status)
		}
	}
}
