package api

import (
	"net/http"
	"strconv"
	"sync/atomic"
)

// A gate admits a fixed number at a time. Beyond it a refusal now is worth more than an answer too late: without it
// twice the load that the box can carry makes everybody wait for seconds.
type gate struct {
	limit int64
	in    atomic.Int64
}

func (g *gate) enter() bool {
	if g.in.Add(1) > g.limit {
		g.in.Add(-1)
		return false
	}
	return true
}

func (g *gate) leave() { g.in.Add(-1) }

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
