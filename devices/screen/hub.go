// Package screen carries events to any number of readers of one kitchen screen. A Hub keeps the latest events in one
// ring that all its readers share, each with a place of its own: a reader that never reads costs nothing and stops
// nobody, one that was away resumes where it stood, and one that stayed away too long is told so (promises P4, P6).
// What an event says is the caller's business.
package screen

import (
	"context"
	"errors"
	"sync"
)

// Bounds of what a Hub keeps for those who come back.
const (
	DefaultKept = 512     // events
	MaxBytes    = 8 << 20 // of their frames; the latest event is kept whatever its size
)

// ErrLagged reports that events were overwritten before the reader took them: it must start from a fresh picture.
var ErrLagged = errors.New("reader fell behind the events that are kept")

// Hub is the fan-out of one screen.
type Hub struct {
	mu      sync.Mutex // guards what follows; held for memory only
	ring    []event    // event n stands at n % len(ring)
	first   uint64     // number of the oldest event kept; the first of all is 0
	next    uint64     // number of the event that comes next
	bytes   int        // of the frames kept
	from    int64      // every event with an id above this one is kept
	readers map[*Reader]struct{}
}

type event struct {
	id    int64
	frame []byte
}

// New returns a hub that keeps that many events; 0 means DefaultKept. Events with an id of at most from were before
// its time: who stands there must start from a fresh picture.
func New(kept int, from int64) *Hub {
	if kept == 0 {
		kept = DefaultKept
	}
	return &Hub{ring: make([]event, kept), from: from, readers: map[*Reader]struct{}{}}
}

// Publish gives every reader one event. Ids rise; frame must not be changed afterwards. It never blocks.
func (h *Hub) Publish(id int64, frame []byte) {
	h.mu.Lock()
	if h.next-h.first == uint64(len(h.ring)) {
		h.dropOldest()
	}
	h.ring[h.next%uint64(len(h.ring))] = event{id, frame}
	h.next++
	for h.bytes += len(frame); h.bytes > MaxBytes && h.next-h.first > 1; {
		h.dropOldest()
	}
	for r := range h.readers {
		select {
		case r.wake <- struct{}{}:
		default: // it has not taken the last call yet and will see this event with it
		}
	}
	h.mu.Unlock()
}

func (h *Hub) dropOldest() {
	slot := &h.ring[h.first%uint64(len(h.ring))]
	h.from = slot.id
	h.bytes -= len(slot.frame)
	*slot = event{}
	h.first++
}

// Readers is how many readers are there now.
func (h *Hub) Readers() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.readers)
}

// Join returns a reader of the events that come from now on. Close it when done.
func (h *Hub) Join() *Reader {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.join(h.next)
}

// Resume returns a reader of the events after id; false when some of those are no longer kept.
func (h *Hub) Resume(id int64) (*Reader, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if id < h.from {
		return nil, false
	}
	at := h.next
	for at > h.first && h.ring[(at-1)%uint64(len(h.ring))].id > id {
		at--
	}
	r := h.join(at)
	if at < h.next {
		r.wake <- struct{}{} // what it missed waits for it
	}
	return r, true
}

func (h *Hub) join(at uint64) *Reader {
	r := &Reader{hub: h, at: at, wake: make(chan struct{}, 1)}
	h.readers[r] = struct{}{}
	return r
}

// Reader is one reader's place in the events.
type Reader struct {
	hub  *Hub
	at   uint64
	wake chan struct{} // of size 1: "something came"
}

// Wake is ready when Take may have something.
func (r *Reader) Wake() <-chan struct{} { return r.wake }

// Take appends the frames that came since the last Take to into; ErrLagged when some are lost to this reader.
func (r *Reader) Take(into [][]byte) ([][]byte, error) {
	h := r.hub
	h.mu.Lock()
	defer h.mu.Unlock()
	if r.at < h.first {
		return into, ErrLagged
	}
	for ; r.at < h.next; r.at++ {
		into = append(into, h.ring[r.at%uint64(len(h.ring))].frame)
	}
	return into, nil
}

// Next waits until Take has something, and takes it.
func (r *Reader) Next(ctx context.Context, into [][]byte) ([][]byte, error) {
	for {
		got, err := r.Take(into)
		if err != nil || len(got) > len(into) {
			return got, err
		}
		select {
		case <-ctx.Done():
			return into, ctx.Err()
		case <-r.wake:
		}
	}
}

// Close leaves the hub.
func (r *Reader) Close() {
	r.hub.mu.Lock()
	delete(r.hub.readers, r)
	r.hub.mu.Unlock()
}
