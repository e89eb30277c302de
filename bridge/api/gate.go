package api

import (
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// A gate admits a number at a time. Beyond it a refusal now is worth more than an answer too late: without it twice the load
// that the box can carry makes everybody wait for seconds.
//
// Places are many, so that orders which came together during a stall of the disk are all taken. When they are all needed all the
// time it is no burst but too much, and every place more only makes everybody wait longer: then the gate is narrow.
type gate struct {
	limit  int64        // places
	in     atomic.Int64 // of them taken
	narrow atomic.Int64 // until when only a part of them may be, in nanoseconds of the clock

	mu    sync.Mutex // guards what follows; held for memory only
	began time.Time  // of the span that is looked at
	spent time.Duration
	left  int // how many left within it; together they spent that long
}

const (
	gateSpan   = 250 * time.Millisecond
	gateSlow   = 35 * time.Millisecond // a mean stay that makes the gate narrow
	gateQuick  = 8 * time.Millisecond  // and one that lets it be wide again
	gateNarrow = 5                     // one place in so many is left
)

// enter takes a place; false when there is none.
func (g *gate) enter(now time.Time) bool {
	limit := g.limit
	if now.UnixNano() < g.narrow.Load() {
		limit = max(1, limit/gateNarrow)
	}
	if g.in.Add(1) > limit {
		g.in.Add(-1)
		return false
	}
	return true
}

// leave gives back a place taken at entered.
func (g *gate) leave(entered, now time.Time) {
	g.in.Add(-1)
	g.mu.Lock()
	defer g.mu.Unlock()
	g.spent += now.Sub(entered)
	g.left++
	if now.Sub(g.began) < gateSpan {
		return
	}
	mean := g.spent / time.Duration(g.left)
	if narrow := now.UnixNano() < g.narrow.Load(); mean > gateSlow || narrow && mean > gateQuick {
		g.narrow.Store(now.Add(2 * gateSpan).UnixNano())
	}
	g.began, g.spent, g.left = now, 0, 0
}

// The refusal is made once; sending it allocates nothing of its own.
var (
	busyBody = []byte(`{"type":"urn:aboyeur:problem:busy","title":"Service Unavailable","status":503,` +
		`"detail":"too many orders are under way; send this one again after the time in Retry-After","code":"busy"}` + "\n")
	busyLength = []string{strconv.Itoa(len(busyBody))}
	busyRetry  = []string{"1"}
)

// refuse answers before the body is read. net/http drains a small body afterwards, so the connection can be used
// again, and closes it under a large one.
func (s *Server) refuse(w *recorder) {
	h := w.Header()
	h["Content-Type"] = problemType
	h["Content-Length"] = busyLength
	h["Retry-After"] = busyRetry
	h["Cache-Control"] = noStore
	w.WriteHeader(http.StatusServiceUnavailable)
	_, _ = w.Write(busyBody)
	if s.c.OnRefused != nil {
		s.c.OnRefused()
	}
}
