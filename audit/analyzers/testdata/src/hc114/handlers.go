// Package hc114 reads bodies as handlers do.
package hc114

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"

	"hc114/limits"
)

type order struct{ ID string }

func decode(w http.ResponseWriter, r *http.Request) {
	var o order
	if err := json.NewDecoder(r.Body).Decode(&o); err != nil { // want `json.NewDecoder takes the body of the request without a limit: .* \(HC114\) high external`
		http.Error(w, "bad", http.StatusBadRequest)
	}
}

func readAll(w http.ResponseWriter, r *http.Request) {
	b, _ := io.ReadAll(r.Body) // want `io.ReadAll takes the body`
	fmt.Fprint(w, len(b))
}

func buffered(w http.ResponseWriter, r *http.Request) {
	var b bytes.Buffer
	io.Copy(&b, bufio.NewReader(r.Body)) // want `io.Copy takes the body`
	b.ReadFrom(r.Body)                   // want `ReadFrom takes the body`
}

func unpacked(w http.ResponseWriter, r *http.Request) {
	z, err := gzip.NewReader(r.Body)
	if err != nil {
		return
	}
	json.NewDecoder(z).Decode(&order{}) // want `HC114`
}

func onOnePathOnly(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodPost {
		r.Body = http.MaxBytesReader(w, r.Body, 1<<10)
	}
	io.ReadAll(r.Body) // want `HC114`
}

func tooLate(w http.ResponseWriter, r *http.Request) {
	io.ReadAll(r.Body) // want `HC114`
	r.Body = http.MaxBytesReader(w, r.Body, 1<<10)
}

func ofAnotherRequest(w http.ResponseWriter, r *http.Request, other *http.Request) {
	other.Body = http.MaxBytesReader(w, other.Body, 1<<10)
	io.ReadAll(r.Body) // want `HC114`
}

func closure() http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		run(func() { io.ReadAll(r.Body) }) // want `HC114`
	}
}

func byVariable(w http.ResponseWriter, r *http.Request) {
	body := r.Body
	defer body.Close()
	io.ReadAll(body) // want `HC114`
}

func byHelperElsewhere(w http.ResponseWriter, r *http.Request) {
	var o order
	limits.Decode(r.Body, &o) // want `limits.Decode takes the body`
	limits.Maybe(w, r)
	io.ReadAll(r.Body) // want `HC114`
}

func lengthOnly(w http.ResponseWriter, r *http.Request) {
	if r.ContentLength > 1<<20 {
		return
	}
	io.ReadAll(r.Body) // want `HC114\) low`
}

func run(f func()) { f() }

type counting struct {
	io.Reader
	n int
}

func wrapped(w http.ResponseWriter, r *http.Request) {
	io.ReadAll(&counting{Reader: r.Body}) // want `HC114`
}

// From here on nothing is to be found.

func limitedAndWrapped(w http.ResponseWriter, r *http.Request) {
	r.Body = closing{http.MaxBytesReader(w, r.Body, 1<<10)}
	io.ReadAll(r.Body)
	io.ReadAll(counting{Reader: io.LimitReader(r.Body, 10)})
}

type closing struct{ io.ReadCloser }

func limited(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 1<<10)
	json.NewDecoder(r.Body).Decode(&order{})
}

func limitedReader(w http.ResponseWriter, r *http.Request) {
	json.NewDecoder(io.LimitReader(r.Body, 1<<10)).Decode(&order{})
	io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<10))
	io.ReadAll(&io.LimitedReader{R: r.Body, N: 1 << 10})
}

func limitedOnBothPaths(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodPost {
		r.Body = http.MaxBytesReader(w, r.Body, 1<<20)
	} else {
		r.Body = http.MaxBytesReader(w, r.Body, 1<<10)
	}
	io.ReadAll(r.Body)
}

func limitedThenCopied(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 1<<20)
	r = r.WithContext(context.WithValue(r.Context(), order{}, 1))
	body := bufio.NewReader(r.Body)
	io.ReadAll(body)
}

func limitedOutsideClosure(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 1<<20)
	run(func() { io.ReadAll(r.Body) })
}

func limitedElsewhere(w http.ResponseWriter, r *http.Request) {
	io.ReadAll(limits.Reader(r))
	limits.Body(w, r)
	limits.Decode(r.Body, &order{})
}

func streamed(w http.ResponseWriter, r *http.Request) {
	io.Copy(io.Discard, r.Body)
	io.CopyN(w, r.Body, 100)
	io.Copy(os.Stdout, r.Body)
	r.ParseForm() // 10 MB at the most, by itself
}

func readHere(w http.ResponseWriter, r *http.Request) {
	r.Body = io.NopCloser(bytes.NewReader([]byte("{}")))
	io.ReadAll(r.Body)
}

func client(ctx context.Context) error {
	req, err := http.NewRequestWithContext(ctx, "POST", "http://example.org", nil)
	if err != nil {
		return err
	}
	io.ReadAll(req.Body)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	_, err = io.ReadAll(resp.Body)
	return err
}

type signing struct{ next http.RoundTripper }

func (s signing) RoundTrip(r *http.Request) (*http.Response, error) {
	io.ReadAll(r.Body)
	return s.next.RoundTrip(r)
}
