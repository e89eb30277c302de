package api

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"aboyeur/bridge/access"
)

// An Event is one server-sent event.
type Event struct {
	ID   int64  // number of the change it tells of; 0: none, and the reader's position stays
	Name string // "" is the event "message"
	Data []byte // text, JSON as a rule
}

// AppendEvent appends the event as it stands in a stream. An event for many readers is made once and given to each
// with Events.Write.
func AppendEvent(b []byte, e Event) []byte {
	if e.ID > 0 {
		b = append(b, "id: "...)
		b = strconv.AppendInt(b, e.ID, 10)
		b = append(b, '\n')
	}
	if e.Name != "" {
		b = append(b, "event: "...)
		b = append(b, e.Name...)
		b = append(b, '\n')
	}
	data := e.Data
	for {
		line, rest, more := data, []byte(nil), false
		if i := bytes.IndexAny(data, "\r\n"); i >= 0 {
			line, rest, more = data[:i], data[i+1:], true
			if data[i] == '\r' && len(rest) > 0 && rest[0] == '\n' {
				rest = rest[1:]
			}
		}
		b = append(b, "data: "...)
		b = append(b, line...)
		b = append(b, '\n')
		if !more {
			return append(b, '\n')
		}
		data = rest
	}
}

// EventTimeout is how long a reader may leave a full buffer unread before its stream ends.
const EventTimeout = 10 * time.Second

// reconnect is what a browser waits before it comes back.
const reconnect = time.Second

// Events is the stream of server-sent events to one reader. It belongs to one goroutine. Heartbeats are the caller's.
type Events struct {
	w       http.ResponseWriter
	rc      *http.ResponseController
	ctx     context.Context
	cancel  context.CancelFunc
	stops   []func() bool
	p       access.Principal
	timeout time.Duration
	buffer  []byte
}

// NewEvents begins the stream. The caller writes until Context ends, and then calls Close.
func NewEvents(w http.ResponseWriter, r *http.Request) (*Events, error) {
	e := &Events{w: w, rc: http.NewResponseController(w), p: access.From(r.Context()), timeout: EventTimeout}
	e.ctx, e.cancel = context.WithCancel(r.Context())
	e.stops = append(e.stops, e.p.OnRevoked(e.cancel))
	if stopping, ok := r.Context().Value(stoppingKey{}).(context.Context); ok {
		e.stops = append(e.stops, context.AfterFunc(stopping, e.cancel))
	}
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h["Cache-Control"] = noStore
	h.Set("X-Accel-Buffering", "no") // nginx holds events back otherwise
	w.WriteHeader(http.StatusOK)
	if err := e.Write(fmt.Appendf(nil, "retry: %d\n\n", reconnect.Milliseconds())); err != nil {
		e.Close()
		return nil, err
	}
	return e, nil
}

// Context ends when the reader left or its session or pairing was revoked, or the server stops.
func (e *Events) Context() context.Context { return e.ctx }

// Send writes events and flushes them together.
func (e *Events) Send(events ...Event) error {
	e.buffer = e.buffer[:0]
	for _, ev := range events {
		e.buffer = AppendEvent(e.buffer, ev)
	}
	err := e.Write(e.buffer)
	if cap(e.buffer) > maxPooled {
		e.buffer = nil // a snapshot is rare and large, the events after it are small
	}
	return err
}

// Write sends what AppendEvent made, all of it, within EventTimeout. After an error the stream is over.
func (e *Events) Write(b []byte) error {
	if err := e.ctx.Err(); err != nil {
		return err
	}
	e.p.Touch()
	if err := e.rc.SetWriteDeadline(time.Now().Add(e.timeout)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return fmt.Errorf("write events: %w", err)
	}
	if _, err := e.w.Write(b); err != nil {
		return fmt.Errorf("write events: %w", err)
	}
	if err := e.rc.Flush(); err != nil {
		return fmt.Errorf("write events: %w", err)
	}
	return nil
}

// Close lets go of what NewEvents took. The connection ends with the handler.
func (e *Events) Close() {
	for _, stop := range e.stops {
		stop()
	}
	e.cancel()
}

// LastEventID is the change after which a reader wants to go on, from the header a browser sends when it comes back,
// or the query's last_event_id. ok is false for one that starts afresh.
func LastEventID(r *http.Request) (id int64, ok bool) {
	v := r.Header.Get("Last-Event-ID")
	if v == "" {
		v = r.URL.Query().Get("last_event_id")
	}
	id, err := strconv.ParseInt(v, 10, 64)
	return id, err == nil && id >= 0
}
