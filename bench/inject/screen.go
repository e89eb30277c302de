package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"sync/atomic"
	"time"

	"aboyeur/simulate/dinner"
)

// A screen is one reader of a kitchen screen's event stream. It notes when each order's ticket came and shows nothing.
type screen struct {
	index  int
	name   string
	url    string
	token  string
	book   *book
	now    func() int64
	client *http.Client

	ready     chan struct{} // closed at the first event
	events    atomic.Int64
	tickets   atomic.Int64
	snapshots atomic.Int64
	breaks    atomic.Int64
	problem   atomic.Pointer[string]
}

func newScreen(index int, name, base, token string, b *book, now func() int64) *screen {
	return &screen{
		index: index, name: name, url: base + "/v1/screens/" + name + "/events", token: token, book: b, now: now,
		client: &http.Client{Transport: &http.Transport{DisableCompression: true, ReadBufferSize: 32 << 10}},
		ready:  make(chan struct{}),
	}
}

// run reads until ctx ends, connecting again when the stream breaks.
func (s *screen) run(ctx context.Context) {
	defer s.client.CloseIdleConnections()
	var last string
	for ctx.Err() == nil {
		if err := s.follow(ctx, &last); ctx.Err() == nil {
			text := err.Error()
			s.problem.Store(&text)
			s.breaks.Add(1)
			select {
			case <-ctx.Done():
			case <-time.After(100 * time.Millisecond):
			}
		}
	}
}

func (s *screen) follow(ctx context.Context, last *string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url, nil)
	if err != nil {
		return err
	}
	req.Header.Set("Accept", "text/event-stream")
	req.Header.Set("Authorization", "Bearer "+s.token)
	if *last != "" {
		req.Header.Set("Last-Event-ID", *last)
	}
	resp, err := s.client.Do(req)
	if err != nil {
		return fmt.Errorf("screen %s: %w", s.name, err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("screen %s: %s", s.name, resp.Status)
	}
	var parse events
	buf := make([]byte, 32<<10)
	for {
		n, err := resp.Body.Read(buf)
		at := s.now()
		parse.write(buf[:n], func(e event) {
			s.take(e, at)
			if e.ID != "" {
				*last = e.ID
			}
		})
		if err != nil {
			return fmt.Errorf("screen %s: %w", s.name, err)
		}
	}
}

// shownTicket is what the generator reads of a ticket as screens get it.
type shownTicket struct {
	Station string         `json:"station"`
	Partner dinner.Partner `json:"partner"`
}

// take notes what an event shows. A screen of one station needs no decoding: the mark is looked for as it stands, which
// costs the generator next to nothing.
func (s *screen) take(e event, at int64) {
	if s.events.Add(1) == 1 {
		close(s.ready)
	}
	switch e.Name {
	case "ticket":
		s.tickets.Add(1)
		if s.book.layout.screens >= s.book.layout.stations {
			i := bytes.Index(e.Data, []byte(`"order_id":"`+markHead))
			if i >= 0 {
				if m, ok := parseMark(e.Data[i+len(`"order_id":"`):]); ok {
					s.book.showed(s.index, m, at)
				}
				return
			}
		}
		var t shownTicket
		if json.Unmarshal(e.Data, &t) == nil {
			s.show(t, at)
		}
	case "snapshot":
		var snap struct {
			Tickets []shownTicket `json:"tickets"`
		}
		if json.Unmarshal(e.Data, &snap) == nil {
			for _, t := range snap.Tickets {
				s.show(t, at)
			}
		}
		s.snapshots.Add(1)
	}
}

func (s *screen) show(t shownTicket, at int64) {
	m, ok := parseMark([]byte(t.Partner.OrderID))
	if !ok {
		return
	}
	station := 0
	if _, err := fmt.Sscanf(t.Station, "station%d", &station); err != nil && s.book.layout.screens < s.book.layout.stations {
		return
	}
	s.book.showed(s.book.layout.view(s.index, station), m, at)
}
