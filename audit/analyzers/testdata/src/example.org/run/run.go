package run

import "net/http"

func Until(done <-chan struct{}, s *http.Server) error { return s.ListenAndServe() }
