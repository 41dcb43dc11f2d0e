package ignored

import (
	"net/http"
	"testing"
)

func TestServe(t *testing.T) { go http.ListenAndServe(":8088", nil) }
