package api

import (
	"log/slog"
	"net/http"
)

// Config says what a Server serves.
type Config struct {
	Routes []Route
	Log    *slog.Logger // nil means slog.Default
}

// A Server answers HTTP requests with its routes.
type Server struct {
	handler http.Handler
}

// New checks the routes and makes the server; it starts nothing.
func New(c Config) (*Server, error) {
	mux := http.NewServeMux()
	for i := range c.Routes {
		if err := c.Routes[i].check(); err != nil {
			return nil, err
		}
	}
	return &Server{handler: mux}, nil
}

// Handler is the whole API as one http.Handler.
func (s *Server) Handler() http.Handler { return s.handler }
