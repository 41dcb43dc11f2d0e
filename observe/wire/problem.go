package wire

import "github.com/headcount-go/headcount/internal/plain"

// A Problem is an error as RFC 9457 has it.
type Problem struct {
	Type   string `json:"type" doc:"urn:headcount:problem: and the code"`
	Title  string `json:"title" doc:"the status in words"`
	Status int    `json:"status" doc:"the HTTP status"`
	Code   string `json:"code" doc:"what went wrong, in a word for programs"`
	Detail string `json:"detail" doc:"what went wrong, for people"`
	Field  string `json:"field,omitempty" doc:"the field of the request that is wrong"`
}

// Error is the detail, after the field that is wrong.
func (p *Problem) Error() string {
	if p.Field != "" {
		return plain.Cut(p.Field+" "+p.Detail, maxProblem)
	}
	return plain.Cut(p.Detail, maxProblem)
}

const maxProblem = 2000 // bytes of one
