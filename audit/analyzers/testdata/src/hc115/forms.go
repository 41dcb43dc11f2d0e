// Package hc115 takes forms with files.
package hc115

import "net/http"

func upload(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseMultipartForm(10 << 20); err != nil { // want `ParseMultipartForm stores a multipart form of any size: .* high external`
		return
	}
	f, _, err := r.FormFile("file") // want `FormFile stores`
	if err == nil {
		f.Close()
	}
}

func value(w http.ResponseWriter, r *http.Request) {
	_ = r.FormValue("name") // want `FormValue stores .* low external`
}

func limited(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 32<<20)
	r.ParseMultipartForm(10 << 20)
	r.FormFile("file")
	_ = r.PostFormValue("name")
}

func streamed(w http.ResponseWriter, r *http.Request) {
	r.ParseForm()
	_, _ = r.MultipartReader()
	_ = r.Form.Get("name")
}
