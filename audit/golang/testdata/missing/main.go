// Package main needs a module that cannot be fetched.
package main

import (
	"net/http"

	"example.invalid/queue"
)

func main() {
	http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		go queue.Put(r.URL.Path)
		go log(r) // want HC102 high
	})
}

func log(r *http.Request) {}
