package main

import (
	"net"
	"net/http"
	"time"
)

// serveControl listens on address and serves a peer's control there, until stop. An empty address serves nothing.
func serveControl(address string, control http.Handler) (at string, stop func(), err error) {
	if address == "" {
		return "", func() {}, nil
	}
	l, err := net.Listen("tcp", address)
	if err != nil {
		return "", nil, err
	}
	server := &http.Server{Handler: control, ReadHeaderTimeout: 5 * time.Second}
	served := make(chan struct{})
	go func() {
		server.Serve(l)
		close(served)
	}()
	return l.Addr().String(), func() {
		server.Close()
		<-served
	}, nil
}
