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
// time, or while others leave, it is no burst but too much, and every place more only makes everybody wait longer: then the gate
// is narrow.
type gate struct {
	limit  int64        // places
	in     atomic.Int64 // of them taken
	narrow atomic.Int64 // until when only a part of them may be, in nanoseconds of the clock
	left   atomic.Int64 // when somebody last left, in the same

	mu    sync.Mutex // guards what follows; held for memory only
	began time.Time  // of the span that is looked at
	spent time.Duration
	count int // how many left within it; together they spent that long
}

const (
	gateSpan   = 250 * time.Millisecond
	gateSlow   = 35 * time.Millisecond // a mean stay that makes the gate narrow
	gateQuick  = 8 * time.Millisecond  // and one that lets it be wide again
	gateNarrow = 7                     // one place in so many is left
	gateStall  = 25 * time.Millisecond // nobody leaves for that long only when the disk stalls
)

// enter takes a place; false when there is none.
func (g *gate) enter(now time.Time) bool {
	limit, narrow := g.limit, now.UnixNano() < g.narrow.Load()
	if narrow {
		limit = max(1, limit/gateNarrow)
	}
	if g.in.Add(1) <= limit {
		return true
	}
	g.in.Add(-1)
	if !narrow && now.UnixNano()-g.left.Load() < int64(gateStall) {
		g.narrow.Store(now.Add(2 * gateSpan).UnixNano())
	}
	return false
}

// leave gives back a place taken at entered.
func (g *gate) leave(entered, now time.Time) {
	g.in.Add(-1)
	g.left.Store(now.UnixNano())
	g.mu.Lock()
	defer g.mu.Unlock()
	g.spent += now.Sub(entered)
	g.count++
	if now.Sub(g.began) < gateSpan {
		return
	}
	mean := g.spent / time.Duration(g.count)
	if narrow := now.UnixNano() < g.narrow.Load(); mean > gateSlow || narrow && mean > gateQuick {
		g.narrow.Store(now.Add(2 * gateSpan).UnixNano())
	}
	g.began, g.spent, g.count = now, 0, 0
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
