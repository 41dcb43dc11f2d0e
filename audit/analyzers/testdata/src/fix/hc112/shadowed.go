package hc112

import h "net/http"

func serveAt(time string) error {
	return h.ListenAndServe(time, nil) // want `HC112`
}
