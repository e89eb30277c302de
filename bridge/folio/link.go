package folio

import (
	"context"
	"crypto/tls"
	"net"
	"strconv"
	"sync"
	"time"

	"aboyeur/bridge/money"
	"aboyeur/devices/port"
	"aboyeur/protocol/ifc"
)

// A Dialler opens the line to IFC8; o has the trace and how answers are acknowledged.
type Dialler func(ctx context.Context, o ifc.Options) (ifc.Conn, error)

// DialPort opens lines at an address: tcp:, with TLS when secure is not nil, or serial:.
func DialPort(a port.Address, secure *tls.Config) Dialler {
	return func(ctx context.Context, o ifc.Options) (ifc.Conn, error) {
		if secure != nil {
			d := tls.Dialer{NetDialer: &net.Dialer{Timeout: port.DefaultDialTimeout}, Config: secure}
			conn, err := d.DialContext(ctx, "tcp", net.JoinHostPort(a.Host, strconv.Itoa(int(a.Port))))
			if err != nil {
				return nil, err
			}
			return ifc.NewTCP(conn, o), nil
		}
		line, err := port.Open(ctx, a, port.Options{})
		if err != nil {
			return nil, err
		}
		if a.Scheme == port.Serial {
			return ifc.NewSerial(line, o), nil
		}
		return ifc.NewTCP(line, o), nil
	}
}

// tracer gives the hook that keeps a line's records in a trace.
func tracer(t *Trace, decode func([]byte) string) func(ifc.Event) {
	return func(e ifc.Event) {
		direction := "<"
		if e.Sent {
			direction = ">"
		}
		switch {
		case e.Record == nil && e.Link != 0:
			t.Add(e.At, direction, "<"+ifc.LinkByte(e.Link)+">")
		case e.Note != "":
			t.Add(e.At, direction, decode(e.Record)+"  # "+e.Note)
		default:
			t.Add(e.At, direction, decode(e.Record))
		}
	}
}

// told is what every adapter keeps: who listens, and how the link stands.
type told struct {
	mu       sync.Mutex // guards what follows
	status   Status
	listener Listener
}

// Listen implements PMS.
func (t *told) Listen(l Listener) {
	t.mu.Lock()
	t.listener = l
	t.mu.Unlock()
}

// Status implements PMS.
func (t *told) Status() Status {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.status
}

// set changes the status and tells of it.
func (t *told) set(at time.Time, change func(*Status)) {
	t.mu.Lock()
	before := t.status
	change(&t.status)
	now := t.status
	if now.State != before.State {
		now.Since = at.UTC()
		t.status.Since = now.Since
	}
	l := t.listener
	t.mu.Unlock()
	if now != before && l != nil {
		l.LinkChanged(now)
	}
}

func (t *told) hears() Listener {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.listener
}

// hundredths gives an amount as FIAS and XML_POS have it: with two decimals where the currency has fewer, and with all of
// them where it has more (spec/fias.md 2).
func hundredths(minor int64, currency string) int64 {
	for d := money.Decimals(currency); d < 2; d++ {
		minor *= 10
	}
	return minor
}

// fromHundredths is the way back, for limits and balances; what the currency does not have is cut off.
func fromHundredths(n int64, currency string) int64 {
	switch money.Decimals(currency) {
	case 0:
		return n / 100
	case 3:
		return n * 10
	}
	return n
}

func scaled(list []int64, currency string) []int64 {
	out := make([]int64, len(list))
	for i, n := range list {
		out[i] = hundredths(n, currency)
	}
	return out
}

// number writes an outlet or the like; 0 is not told.
func number(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}
