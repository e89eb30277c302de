package box

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"
)

// deaf is a screen's reader that connects and reads nothing until it is told to.
type deaf struct {
	r    *rig
	conn net.Conn
	last string
	seen map[string]bool // tickets it has heard of
}

func (r *rig) deaf(last string) *deaf {
	r.t.Helper()
	// A small window, asked for before the connection is made: the sockets between hold little.
	small := net.Dialer{Control: func(_, _ string, c syscall.RawConn) (err error) {
		failed := c.Control(func(fd uintptr) { err = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF, 4096) })
		return errors.Join(err, failed)
	}}
	conn, err := small.Dial("tcp", strings.TrimPrefix(r.base, "http://"))
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { conn.Close() })
	if last != "" {
		last = "Last-Event-ID: " + last + "\r\n"
	}
	if _, err := fmt.Fprintf(conn, "GET /v1/screens/kitchen/events HTTP/1.0\r\nHost: box\r\nAuthorization: Bearer %s\r\n%s\r\n", r.token, last); err != nil {
		r.t.Fatal(err)
	}
	return &deaf{r: r, conn: conn, seen: map[string]bool{}}
}

// hear reads until the stream ends, breaks off or has told of n tickets.
func (d *deaf) hear(n int) {
	d.r.t.Helper()
	if err := d.conn.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
		d.r.t.Fatal(err)
	}
	lines := bufio.NewReaderSize(d.conn, 4096)
	var id, name string
	for len(d.seen) < n {
		line, err := lines.ReadString('\n')
		if err != nil {
			return
		}
		key, value, _ := strings.Cut(strings.TrimRight(line, "\r\n"), ": ")
		switch key {
		case "id":
			id = value
		case "event":
			name = value
		case "":
			d.last = id // an event counts when it is whole
		case "data":
			var one struct{ ID string }
			var all struct{ Tickets []struct{ ID string } }
			switch {
			case name == "ticket" && json.Unmarshal([]byte(value), &one) == nil:
				d.seen[one.ID] = true
			case name == "snapshot" && json.Unmarshal([]byte(value), &all) == nil:
				for _, t := range all.Tickets {
					d.seen[t.ID] = true
				}
			}
		}
	}
}

// TestDeafScreensSlowNobody: screens that connect and never read hold up no order and no other screen; when they read on,
// or come back, they have everything (P4, P6).
func TestDeafScreensSlowNobody(t *testing.T) {
	r := newRig(t)
	r.config.Stations[1].Printers = nil // so much paper would take its time
	r.start()
	events := r.screen("kitchen", "")
	r.expect(events, "snapshot")
	var slow []*deaf
	for range 4 {
		slow = append(slow, r.deaf(""))
	}
	r.wait("all are connected", func() bool { return r.box.kitchen.Board().Screens()["kitchen"] == 5 })

	// About 2 MB, more than the sockets between hold: the box must let go of who does not read.
	const orders = 40
	line := orderOf(13).Lines[0]
	line.Notes = strings.Repeat("without ice ", 15)
	for n := range orders {
		o := orderOf(13)
		o.SourceOrderID, o.Lines = fmt.Sprint("deaf", n), nil
		for range 200 {
			o.Lines = append(o.Lines, line)
		}
		if status, err := r.call(http.MethodPost, "/v1/orders", o, nil); err != nil || status != http.StatusCreated {
			t.Fatalf("order %d = %d, %v", n, status, err)
		}
		r.expect(events, "ticket")
	}
	for i, d := range slow {
		d.hear(orders)
		for again := 0; len(d.seen) < orders && again < 3; again++ { // the box had let go of it
			d.conn.Close()
			next := r.deaf(d.last)
			next.seen, next.last = d.seen, d.last
			*d = *next
			d.hear(orders)
		}
		if len(d.seen) != orders {
			t.Errorf("slow screen %d has heard of %d tickets, want %d", i, len(d.seen), orders)
		}
		d.conn.Close()
	}
	r.wait("nothing is kept for those who left", func() bool { return r.box.kitchen.Board().Screens()["kitchen"] == 1 })
}
