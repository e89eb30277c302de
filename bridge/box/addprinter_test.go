package box

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"aboyeur/simulate/printer"
)

// A spare is a printer that nobody has configured, on a network of its own with the box.
type spare struct {
	*printer.Printer
	t    *testing.T
	port uint16

	mu   sync.Mutex
	host string // where it is now

	unplug func()
}

const spareHardware = "00:26:ab:01:02:03"

func newSpare(r *rig) *spare {
	r.t.Helper()
	s := &spare{t: r.t}
	s.plug("127.0.0.1")
	r.t.Cleanup(func() { s.unplug() })
	r.around = Options{
		segments: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/30")}, rawPort: s.port, follow: 50 * time.Millisecond,
		neighbours: func() map[netip.Addr]string {
			s.mu.Lock()
			defer s.mu.Unlock()
			return map[netip.Addr]string{netip.MustParseAddr(s.host): spareHardware}
		},
	}
	return s
}

// plug switches it on at an address, with nothing in its memory; unplug takes it away again.
func (s *spare) plug(host string) {
	s.t.Helper()
	p, err := printer.New(printer.Config{Serial: "SPARE1", Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		s.t.Fatal(err)
	}
	s.Printer = p
	l, err := net.Listen("tcp", fmt.Sprintf("%s:%d", host, s.port))
	if err != nil {
		s.t.Fatal(err)
	}
	s.port = uint16(l.Addr().(*net.TCPAddr).Port)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { defer close(ended); _ = p.Serve(ctx, l) }()
	s.unplug = func() { cancel(); <-ended }
	s.mu.Lock()
	s.host = host
	s.mu.Unlock()
}

func (s *spare) address() string { return fmt.Sprintf("tcp:%s:%d", s.host, s.port) }

// TestAddPrinter: a person looks for printers, has one print its number, adds it, uses it over a restart, and removes it.
func TestAddPrinter(t *testing.T) {
	r := newRig(t)
	s := newSpare(r)
	r.start()
	var found scanned
	r.must(http.StatusOK, http.MethodPost, "/v1/printers/scan", `{}`, &found)
	at := -1
	for i, f := range found.Found {
		if f.Number != i+1 {
			t.Errorf("%+v has number %d, want %d", f, f.Number, i+1)
		}
		if f.Address == s.address() {
			at = i
		}
	}
	if len(found.Found) != 3 || at < 0 || found.Found[0].KnownAs != "grill" || found.Found[1].KnownAs != "bar" {
		t.Fatalf("found %+v, want grill, bar and the spare at %s", found, s.address())
	}
	if f := found.Found[at]; f.Serial != "SPARE1" || f.Hardware != spareHardware || f.KnownAs != "" || f.Maker != printer.DefaultMaker {
		t.Errorf("the spare is %+v", f)
	}
	if s.Paper() != "" || len(s.Tickets()) > 0 {
		t.Error("the scan printed")
	}
	r.must(http.StatusUnprocessableEntity, http.MethodPost, "/v1/printers/identify", `{"address":"tcp:127.0.0.9:9100"}`, nil)
	r.must(http.StatusNoContent, http.MethodPost, "/v1/printers/identify", map[string]string{"address": s.address()}, nil)
	r.wait("the spare printed its number", func() bool { return len(s.Tickets()) == 1 && strings.Contains(s.Tickets()[0].Text, "3") })
	r.must(http.StatusNoContent, http.MethodPost, "/v1/printers/identify", map[string]string{"address": found.Found[1].Address}, nil)
	r.wait("the bar printed its number in its queue", func() bool {
		jobs := r.jobs("printer=bar&state=done")
		return len(jobs) == 1 && jobs[0].Kind == "slip"
	})

	for body, pointer := range map[string]string{
		`{"name":"Spare!","connect":"tcp:127.0.0.1:9100"}`:                           "/name",
		`{"name":"spare","connect":"9100"}`:                                          "/connect",
		`{"name":"spare","connect":"` + found.Found[0].Address + `"}`:                "/connect",
		`{"name":"spare","connect":"tcp:10.0.0.1:9100","model":"x"}`:                 "/model",
		`{"name":"spare","connect":"tcp:10.0.0.1:9100","columns":3}`:                 "/columns",
		`{"name":"spare","connect":"tcp:10.0.0.1:9100","fallback":"nowhere"}`:        "/fallback",
		`{"name":"spare","connect":"tcp:10.0.0.1:9100","hardware":"not an address"}`: "/hardware",
	} {
		var p struct{ Errors []struct{ Pointer string } }
		if status, _ := r.call(http.MethodPost, "/v1/printers", body, &p); status != http.StatusUnprocessableEntity || len(p.Errors) != 1 || p.Errors[0].Pointer != pointer {
			t.Errorf("%s: %d %+v, want 422 at %s", body, status, p.Errors, pointer)
		}
	}
	add := map[string]any{"name": "spare", "connect": s.address(), "model": "epson-tm-t88", "columns": 0, "fallback": "bar", "hardware": spareHardware}
	var v printerView
	r.must(http.StatusCreated, http.MethodPost, "/v1/printers", add, &v)
	if !v.Added || v.Name != "spare" || v.Kind != "wired" {
		t.Errorf("added %+v", v)
	}
	r.must(http.StatusConflict, http.MethodPost, "/v1/printers", add, nil)
	r.must(http.StatusConflict, http.MethodPost, "/v1/printers", map[string]any{"name": "bar", "connect": "tcp:10.0.0.1:9100"}, nil)
	r.wait("the spare is up", func() bool { return r.printer("spare").Up })
	r.must(http.StatusOK, http.MethodPost, "/v1/printers/bar/pause", nil, nil)
	r.wait("the bar is paused", func() bool { return r.printer("bar").State == "paused" })
	id := r.drink("S0S")
	r.must(http.StatusOK, http.MethodPost, "/v1/printers/bar/move-queue", map[string]string{"to": "spare"}, nil)
	r.done(id)
	if all := s.Tickets(); len(all) != 2 || !strings.Contains(all[1].Text, "S0S") {
		t.Errorf("the spare's paper is %+v", all)
	}

	r.down()
	r.start2()
	r.wait("the spare is up after a restart", func() bool { return r.printer("spare").Up })
	r.must(http.StatusAccepted, http.MethodPost, "/v1/printers/spare/test", nil, nil)
	r.wait("its test page is out", func() bool { return len(s.Tickets()) == 3 })
	r.must(http.StatusConflict, http.MethodDelete, "/v1/printers/bar", nil, nil)
	r.must(http.StatusNotFound, http.MethodDelete, "/v1/printers/nowhere", nil, nil)
	r.must(http.StatusOK, http.MethodPost, "/v1/printers/spare/pause", nil, nil)
	var queued struct{ Job string }
	r.must(http.StatusAccepted, http.MethodPost, "/v1/printers/spare/test", nil, &queued)
	r.must(http.StatusConflict, http.MethodDelete, "/v1/printers/spare", nil, nil) // its queue is not empty
	r.must(http.StatusOK, http.MethodPost, "/v1/jobs/"+queued.Job+"/clear", nil, nil)
	r.wait("the spare can go", func() bool {
		status, err := r.call(http.MethodDelete, "/v1/printers/spare", nil, nil)
		return err == nil && status == http.StatusNoContent
	})
	r.must(http.StatusNotFound, http.MethodPost, "/v1/printers/spare/pause", nil, nil)
	r.down()
	r.start2()
	r.must(http.StatusNotFound, http.MethodPost, "/v1/printers/spare/pause", nil, nil)
	for _, act := range []string{"printers_scanned", "printer_identified", "printer_added", "printer_removed"} {
		if r.audited(act) < 1 {
			t.Errorf("the audit log has no %s", act)
		}
	}
}

// start2 starts the box again and waits for the grill alone: the bar may be paused.
func (r *rig) start2() {
	r.t.Helper()
	r.boot()
	r.wait("the grill is up", func() bool {
		status, err := r.call(http.MethodGet, "/v1/printers", nil, nil)
		return err == nil && status == http.StatusOK && r.printer("grill").Up
	})
}

// TestPrinterIsFollowed: the network gives a printer another address; the box finds it by its hardware address, says so,
// and knows it over a restart. A person who replaces it sends the box back to the configured address.
func TestPrinterIsFollowed(t *testing.T) {
	r := newRig(t)
	s := newSpare(r)
	r.start()
	first := s.address()
	r.must(http.StatusCreated, http.MethodPost, "/v1/printers", map[string]any{"name": "spare", "connect": first, "model": "epson-tm-t88"}, nil)
	r.wait("its hardware address is learned", func() bool { return r.printer("spare").Hardware == spareHardware })
	s.unplug()
	s.plug("127.0.0.2")
	r.wait("the box followed it", func() bool { p := r.printer("spare"); return p.Up && p.Connect == s.address() })
	r.wait("people are told that the printer has another address", func() bool { return r.warned("printer_moved") })
	r.must(http.StatusAccepted, http.MethodPost, "/v1/printers/spare/test", nil, nil)
	r.wait("it prints there", func() bool { return len(s.Tickets()) == 1 })
	r.down()
	r.start2()
	r.wait("it is known there", func() bool { p := r.printer("spare"); return p.Up && p.Connect == s.address() })
	r.wait("people are told so after a restart as well", func() bool { return r.warned("printer_moved") })
	r.must(http.StatusOK, http.MethodPost, "/v1/printers/spare/replace", nil, nil)
	r.wait("the box looks where the configuration says", func() bool { return r.printer("spare").Connect == first && !r.warned("printer_moved") })
}
