// Package ignored has comments that let a rule pass, and some that do not.
package ignored

import "net/http"

func serve(h http.Handler) {
	//headcount:ignore HC112 the balancer in front has the timeouts
	go http.ListenAndServe(":8083", h)
	go http.ListenAndServe(":8084", h) //headcount:ignore HC112 here too
	go http.ListenAndServe(":8090", h) // want `HC112`

	//headcount:ignore HC110, HC112 the balancer in front has the timeouts,
	// and it limits connections too
	go http.ListenAndServe(":8089", h)

	//headcount:ignore HC112
	go http.ListenAndServe(":8085", h) // want `http.ListenAndServe serves .* \(HC112\)`

	//headcount:ignore HC110 another rule
	go http.ListenAndServe(":8086", h) // want `HC112`

	//headcount:ignore HC112 too far away

	go http.ListenAndServe(":8087", h) // want `HC112`
}
