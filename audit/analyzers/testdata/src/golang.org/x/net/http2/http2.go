package http2

import "net/http"

type Server struct{}

type ServeConnOpts struct{ BaseConfig *http.Server }

func ConfigureServer(s *http.Server, conf *Server) error { return nil }
