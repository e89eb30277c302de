package api

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"aboyeur/bridge/access"
)

func TestAppendEvent(t *testing.T) {
	for _, c := range []struct {
		in   Event
		want string
	}{
		{Event{ID: 41, Name: "ticket", Data: []byte(`{"number":1}`)}, "id: 41\nevent: ticket\ndata: {\"number\":1}\n\n"},
		{Event{Name: "beat", Data: []byte("{}")}, "event: beat\ndata: {}\n\n"},
		{Event{}, "data: \n\n"},
		{Event{Data: []byte("a\nb\r\nc\rd\n")}, "data: a\ndata: b\ndata: c\ndata: d\ndata: \n\n"},
		{Event{Data: []byte("x\nevent: forged\n\ndata: y")}, "data: x\ndata: event: forged\ndata: \ndata: data: y\n\n"},
	} {
		if got := string(AppendEvent(nil, c.in)); got != c.want {
			t.Errorf("AppendEvent(%+v) = %q, want %q", c.in, got, c.want)
		}
	}
}

// listen is a stream's handler: one event, then it waits for the end and tells the cause.
func listen(t *testing.T, ends chan<- error) Route {
	return Route{Method: "GET", Path: "/v1/screens/{screen}/events", Type: "text/event-stream", Roles: access.Roles(),
		Handle: func(w http.ResponseWriter, r *http.Request) error {
			e, err := NewEvents(w, r)
			if err != nil {
				return err
			}
			defer e.Close()
			if err := e.Send(Event{ID: 1, Name: "snapshot", Data: []byte("{}")}, Event{ID: 2, Name: "ticket", Data: []byte("{}")}); err != nil {
				return err
			}
			<-e.Context().Done()
			if err := e.Send(Event{Name: "late"}); err == nil {
				t.Error("an ended stream took an event")
			}
			ends <- r.Context().Err()
			return nil
		}}
}

func TestEventsEnd(t *testing.T) {
	ends := make(chan error, 1)
	b := newBench(t, Config{WriteTimeout: 50 * time.Millisecond, Routes: []Route{listen(t, ends)}})
	address, stop := b.serve()
	open := func(header ...string) *http.Response {
		t.Helper()
		r, _ := http.NewRequestWithContext(t.Context(), "GET", "http://"+address+"/v1/screens/grill/events", nil)
		for i := 0; i+1 < len(header); i += 2 {
			r.Header.Set(header[i], header[i+1])
		}
		answer, err := client(t).Do(r)
		if err != nil {
			t.Fatal(err)
		}
		if h := answer.Header; answer.StatusCode != 200 || h.Get("Content-Type") != "text/event-stream" || h.Get("Cache-Control") != "no-store" || h.Get("Content-Length") != "" {
			t.Fatalf("stream = %d %v", answer.StatusCode, h)
		}
		in := bufio.NewReader(answer.Body)
		var got strings.Builder
		for !strings.Contains(got.String(), "ticket\ndata: {}\n\n") {
			line, err := in.ReadString('\n')
			if err != nil {
				t.Fatalf("%v after %q", err, got.String())
			}
			got.WriteString(line)
		}
		if want := "retry: 1000\n\nid: 1\nevent: snapshot\ndata: {}\n\nid: 2\nevent: ticket\ndata: {}\n\n"; got.String() != want {
			t.Errorf("stream begins %q, want %q", got.String(), want)
		}
		answer.Body = struct {
			io.Reader
			io.Closer
		}{in, answer.Body}
		return answer
	}
	over := func(what string, answer *http.Response, byServer bool) {
		t.Helper()
		if byServer {
			if rest, err := io.ReadAll(answer.Body); err != nil || len(rest) != 0 {
				t.Errorf("%s: the stream ended with %q, %v", what, rest, err)
			}
		}
		if err := <-ends; (err == nil) != byServer {
			t.Errorf("%s: the request's own context ended with %v", what, err)
		}
		answer.Body.Close()
	}

	answer := open("Authorization", "Bearer "+b.token[access.Staff])
	answer.Body.Close()
	over("reader left", answer, false)

	answer = open("Authorization", "Bearer "+b.token[access.Screen])
	if err := access.RemoveToken(b.file, "the-screen"); err != nil {
		t.Fatal(err)
	}
	if err := b.access.Reload(); err != nil {
		t.Fatal(err)
	}
	over("token removed", answer, true)

	code, _ := b.access.AskPairing("", access0)
	manager := access.Principal{Name: "lea", Role: access.Manager}
	if err := b.access.ApprovePairing(t.Context(), code.Code, "grill", manager, access0); err != nil {
		t.Fatal(err)
	}
	cookie, _, err := b.access.ClaimPairing(t.Context(), code.Secret)
	if err != nil {
		t.Fatal(err)
	}
	answer = open("Cookie", CookieName+"="+cookie)
	list, err := b.access.Pairings(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := b.access.RevokePairing(t.Context(), list[0].ID, manager); err != nil {
		t.Fatal(err)
	}
	over("pairing revoked", answer, true)

	answer = open("Authorization", "Bearer "+b.token[access.Admin])
	stop() // returns only once the stream is over
	over("server stopped", answer, true)
}

// A reader that never reads costs one buffer, then its stream ends.
func TestReaderThatNeverReads(t *testing.T) {
	ends := make(chan error, 1)
	big := AppendEvent(nil, Event{Name: "ticket", Data: []byte(strings.Repeat("x", 64<<10))})
	b := newBench(t, Config{Routes: []Route{{Method: "GET", Path: "/v1/feed", Type: "text/event-stream", Handle: func(w http.ResponseWriter, r *http.Request) error {
		e, err := NewEvents(w, r)
		if err != nil {
			return err
		}
		defer e.Close()
		e.timeout = 50 * time.Millisecond
		for err == nil {
			err = e.Write(big)
		}
		ends <- err
		return nil
	}}}})
	address, _ := b.serve()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	io.WriteString(conn, "GET /v1/feed HTTP/1.1\r\nHost: box\r\n\r\n")
	var timeout net.Error
	if err := <-ends; !errors.As(err, &timeout) && !errors.Is(err, context.Canceled) {
		t.Errorf("the stream ended with %v, want a timeout", err)
	}
}

// access0 is where the tests pair screens from.
var access0 = netip.MustParseAddr("192.168.1.20")

func TestLastEventID(t *testing.T) {
	for _, c := range []struct {
		header, query string
		id            int64
		ok            bool
	}{{"", "", 0, false}, {"41", "", 41, true}, {"", "41", 41, true}, {"0", "", 0, true}, {"41", "7", 41, true}, {"-1", "", 0, false}, {"x", "", 0, false}, {"99999999999999999999", "", 0, false}} {
		r, _ := http.NewRequest("GET", "/?last_event_id="+c.query, nil)
		if c.header != "" {
			r.Header.Set("Last-Event-ID", c.header)
		}
		if id, ok := LastEventID(r); ok != c.ok || ok && id != c.id {
			t.Errorf("LastEventID(%q, %q) = %d, %v", c.header, c.query, id, ok)
		}
	}
}
