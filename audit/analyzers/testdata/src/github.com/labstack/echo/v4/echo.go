// Package echo has the parts of echo that the rules know.
package echo

import "net/http"

type Context interface {
	Request() *http.Request
	Bind(i any) error
}
