// Command hc112 serves in every way that has no timeouts, and in some that have.
package main

import (
	"flag"
	"log"
	"net"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"
)

var flagged = flag.String("http", "127.0.0.1:8080", "where to listen")

const debugAddr = "localhost:6060"

func main() {
	mux := http.NewServeMux()
	go func() {
		log.Println(http.ListenAndServe(debugAddr, nil)) // want `http.ListenAndServe serves without any timeout: .* high internal`
	}()
	ln, err := net.Listen("tcp", ":8081")
	if err != nil {
		log.Fatal(err)
	}
	go http.Serve(ln, mux)                   // want `http.Serve serves without any timeout.* high external`
	go http.ServeTLS(ln, mux, "cert", "key") // want `http.ServeTLS serves`
	go ginServer()
	go http.ListenAndServe(*flagged, mux)                          // want `HC112\) high internal`
	log.Fatal(http.ListenAndServeTLS(":8443", "cert", "key", mux)) // want `http.ListenAndServeTLS serves`
}

func ginServer() {
	r := gin.Default()
	r.Run(":8080") // want `gin's Run serves without any timeout`
}

// Serve of a server of one's own is not the package's.
func withTimeouts(ln net.Listener, h http.Handler) error {
	srv := &http.Server{Handler: h, ReadHeaderTimeout: 5 * time.Second, IdleTimeout: time.Minute}
	return srv.Serve(ln)
}

type runner struct{}

func (runner) ListenAndServe(addr string, h http.Handler) error { return nil }

func other(h http.Handler) error { return runner{}.ListenAndServe(":80", h) }
