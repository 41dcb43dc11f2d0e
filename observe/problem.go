package observe

import (
	"encoding/json"
	"net/http"

	"github.com/headcount-go/headcount/observe/wire"
)

// A problem is an error as RFC 9457 has it.
type problem wire.Problem

func (p problem) write(w http.ResponseWriter) {
	p.Type = "urn:headcount:problem:" + p.Code
	p.Title = http.StatusText(p.Status)
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
