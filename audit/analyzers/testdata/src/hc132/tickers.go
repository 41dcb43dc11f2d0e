// Package hc132 starts tickers, which are collected since Go 1.23.
package hc132

import (
	"net/http"
	"time"
)

func handler(w http.ResponseWriter, r *http.Request) {
	for range time.Tick(time.Second) {
		return
	}
}
