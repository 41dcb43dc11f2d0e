package observe

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A problem is an error as RFC 9457 has it.
type problem struct {
	Type   string `json:"type" doc:"urn:headcount:problem: and the code"`
	Title  string `json:"title" doc:"the status in words"`
	Status int    `json:"status" doc:"the HTTP status"`
	Code   string `json:"code" doc:"what went wrong, in a word for programs"`
	Detail string `json:"detail" doc:"what went wrong, for people"`
	Field  string `json:"field,omitempty" doc:"the field of the request that is wrong"`

	challenge bool // ask the browser for a password
}

func (p problem) write(w http.ResponseWriter) {
	p.Type = "urn:headcount:problem:" + p.Code
	p.Title = http.StatusText(p.Status)
	if p.challenge {
		w.Header().Set("WWW-Authenticate", `Basic realm="headcount", charset="UTF-8"`)
		w.Header().Add("WWW-Authenticate", `Bearer realm="headcount"`)
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p)
}

func badRequest(field, detail string) *problem {
	return &problem{Status: http.StatusBadRequest, Code: "invalid", Detail: detail, Field: field}
}

func notFound(detail string) *problem {
	return &problem{Status: http.StatusNotFound, Code: "not-found", Detail: detail}
}

// isText reports whether s is one line that can be printed anywhere: no control characters, and none that turn the
// direction of what follows.
func isText(s string) bool {
	return utf8.ValidString(s) && strings.IndexFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) < 0
}

// shown is s with all escaped that does not print.
func shown(s string) string {
	if isText(s) {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		if unicode.IsPrint(r) && r != utf8.RuneError {
			b.WriteRune(r)
		} else {
			b.WriteString(strings.Trim(strconv.QuoteRuneToASCII(r), "'"))
		}
	}
	return b.String()
}
