// Command shop is a service with a few limits and a few that are missing.
package main

import (
	"encoding/json"
	"io"
	"log"
	"net/http"

	"example.org/shop/limits"
)

func main() {
	http.HandleFunc("/order", order)
	http.HandleFunc("/note", note)
	srv := &http.Server{Addr: ":8080"}
	go func() { log.Println(srv.ListenAndServe()) }()
	//headcount:ignore HC112 reached through the balancer only
	log.Fatal(http.ListenAndServe(":8081", nil))
}

func order(w http.ResponseWriter, r *http.Request) {
	limits.Body(w, r)
	var o struct{ ID string }
	if err := json.NewDecoder(r.Body).Decode(&o); err != nil {
		http.Error(w, "not an order", http.StatusBadRequest)
	}
}

func note(w http.ResponseWriter, r *http.Request) {
	b, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	log.Printf("%s", b)
}
