package support

import (
	"context"
	"log/slog"
	"sync"
)

// RingBytes is how much of the log is kept in memory. systemd's journal has the rest.
const RingBytes = 192 << 10

// A Ring keeps the latest lines of the log, as JSON, level info and above. Its methods may be called from any goroutine.
type Ring struct {
	mu    sync.Mutex // guards what follows
	lines [][]byte
	first int // of lines; those before it are gone
	bytes int
	lost  int64
}

// NewRing makes an empty one.
func NewRing() *Ring { return &Ring{} }

// Handler gives a handler that keeps what next is given too.
func (r *Ring) Handler(next slog.Handler) slog.Handler {
	return tee{next: next, own: slog.NewJSONHandler(r, &slog.HandlerOptions{Level: slog.LevelInfo})}
}

// Write keeps one line; slog gives each in one call.
func (r *Ring) Write(line []byte) (int, error) {
	kept := line
	if len(kept) > RingBytes/16 { // one line must not drive all the others out
		kept = append(append([]byte(nil), kept[:RingBytes/16]...), "…\n"...)
	} else {
		kept = append([]byte(nil), kept...)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lines = append(r.lines, kept)
	r.bytes += len(kept)
	for r.bytes > RingBytes {
		r.bytes -= len(r.lines[r.first])
		r.lines[r.first] = nil
		r.first++
		r.lost++
	}
	if r.first > 64 && r.first > len(r.lines)/2 {
		r.lines = append(r.lines[:0:0], r.lines[r.first:]...)
		r.first = 0
	}
	return len(line), nil
}

// Lines gives what is kept, the oldest first, and how many lines before it are gone.
func (r *Ring) Lines() (text []byte, lost int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	text = make([]byte, 0, r.bytes)
	for _, line := range r.lines[r.first:] {
		text = append(text, line...)
	}
	return text, r.lost
}

// tee hands each record to both.
type tee struct{ next, own slog.Handler }

func (t tee) Enabled(ctx context.Context, l slog.Level) bool {
	return t.own.Enabled(ctx, l) || t.next.Enabled(ctx, l)
}

func (t tee) Handle(ctx context.Context, r slog.Record) error {
	if t.own.Enabled(ctx, r.Level) {
		_ = t.own.Handle(ctx, r) // memory; it does not fail
	}
	if t.next.Enabled(ctx, r.Level) {
		return t.next.Handle(ctx, r)
	}
	return nil
}

func (t tee) WithAttrs(a []slog.Attr) slog.Handler {
	return tee{t.next.WithAttrs(a), t.own.WithAttrs(a)}
}

func (t tee) WithGroup(name string) slog.Handler {
	return tee{t.next.WithGroup(name), t.own.WithGroup(name)}
}
