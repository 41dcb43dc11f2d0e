package hc112

import (
	"log"
	"net"
	"net/http"
)

func serve(ln net.Listener, mux *http.ServeMux) {
	go http.ServeTLS(ln, mux, "cert", "key")      // want `HC112`
	log.Fatal(http.ListenAndServe(":"+"80", nil)) // want `HC112`
}
