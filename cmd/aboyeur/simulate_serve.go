package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
)

// A simulator is a peer with its interface on a listener, and HTTP control beside it.
type simulator interface {
	Serve(ctx context.Context, l net.Listener) error
	Control() http.Handler
}

// serveSimulated serves a peer and its control until ctx ends, and prints where they are. say tells of an error and gives the
// exit code.
func serveSimulated(ctx context.Context, std stdio, name, listen, control string, sim simulator, say func(code int, err error) int) int {
	l, err := net.Listen("tcp", listen)
	if err != nil {
		return say(exitFailed, err)
	}
	defer l.Close()
	at := simulatedAt{Peer: name, Listen: l.Addr().String()}
	var stop func()
	if at.Control, stop, err = serveControl(control, sim.Control()); err != nil {
		return say(exitFailed, err)
	}
	defer stop()
	if err := json.NewEncoder(std.out).Encode(at); err != nil {
		return say(exitFailed, fmt.Errorf("print the addresses: %w", err))
	}
	if err := sim.Serve(ctx, l); err != nil {
		return say(exitFailed, err)
	}
	return exitOK
}

// secretIn reads a file that holds a secret alone.
func secretIn(file string) (string, error) {
	b, err := os.ReadFile(file)
	return strings.TrimSpace(string(b)), err
}

// appendTo opens the file of a ledger.
func appendTo(file string) (*os.File, error) {
	f, err := os.OpenFile(file, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, fmt.Errorf("ledger: %w", err)
	}
	return f, nil
}
