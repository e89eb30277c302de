package main

import (
	"io"
	"log/slog"
	"os"
)

// newLog writes JSON lines where a program reads them, under systemd, and plain lines on a terminal.
func newLog(w io.Writer, verbose bool) *slog.Logger {
	options := &slog.HandlerOptions{Level: slog.LevelInfo}
	if verbose {
		options.Level = slog.LevelDebug
	}
	if os.Getenv("INVOCATION_ID") != "" {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}
