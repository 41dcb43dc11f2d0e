// Command hc112 serves in every way that has no timeouts, and in some that have.
package main

import (
	"log"
	"net"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"
)

const debugAddr = "localhost:6060"

func main() {
	mux := http.NewServeMux()
	go func() {
		log.Println(http.ListenAndServe(debugAddr, nil)) // want `http.ListenAndServe serves without any timeout: .* \(HC112\)`
	}()
	ln, err := net.Listen("tcp", ":8081")
	if err != nil {
		log.Fatal(err)
	}
	go http.Serve(ln, mux)                   // want `http.Serve serves without any timeout`
	go http.ServeTLS(ln, mux, "cert", "key") // want `http.ServeTLS serves`
	go ginServer()
	//headcount:ignore HC112 the balancer in front has the timeouts
	go http.ListenAndServe(":8083", mux)
	//headcount:ignore HC112
	go http.ListenAndServe(":8084", mux)                           // want `http.ListenAndServe serves`
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
