package port

import (
	"context"
	"errors"
	"io"
	"time"
)

// A Port is an open device: a stream of bytes each way. One goroutine may read while another writes; Close ends both.
type Port interface {
	// Read blocks until something came, the read deadline passed (os.ErrDeadlineExceeded) or the port ended. On a
	// one-way port nothing ever comes.
	io.Reader
	// Write returns how many bytes the device took, also with an error. After os.ErrDeadlineExceeded the caller may go
	// on at that offset; after any other error nobody knows what arrived, except that n = 0 means nothing did.
	io.Writer
	SetReadDeadline(t time.Time) error
	SetWriteDeadline(t time.Time) error
	// OneWay says that this port never delivers an answer.
	OneWay() bool
	// Close ends the port in a bounded time and as the device likes it.
	io.Closer
}

// A Patient port can wait for a peer that is stuck without taking it for gone (see the package's "Stuck is not gone").
type Patient interface {
	// SetPatient lifts the limit on how long the peer may leave our bytes unread, or sets it again.
	SetPatient(on bool) error
	// Unheard is how long the peer has left the kernel's own packets unanswered; 0 while it answers them.
	Unheard() time.Duration
}

// A Buffered port tells how much of what Write returned as taken is still in the box.
type Buffered interface {
	// Unsent is how many bytes the system has not put on the wire yet.
	Unsent() (int, error)
}

// Defaults for Options left at zero.
const (
	DefaultDialTimeout  = 5 * time.Second
	DefaultWriteTimeout = 10 * time.Second
	DefaultUserTimeout  = time.Minute
)

// Options of Open. The zero value is good.
type Options struct {
	DialTimeout  time.Duration // of connecting, or of waiting for a USB printer to appear; 0 means DefaultDialTimeout
	WriteTimeout time.Duration // for a Write while no deadline is set; 0 means DefaultWriteTimeout
	// UserTimeout ends a tcp link whose peer has left bytes unread or unanswered for so long. 0 means
	// DefaultUserTimeout. It must be longer than the device may be busy without reading.
	UserTimeout time.Duration
}

// ErrUnplugged reports a serial line whose adapter was pulled out, or which hung up; a USB printer that left is it too, in
// its own words. Reads and writes fail with it until the port is closed; the device is opened anew when it is there again.
var ErrUnplugged = errors.New("the serial line is gone; plug the adapter in again")

// ErrNotInThisBuild reports an address that is valid but needs a driver this program was built without.
var ErrNotInThisBuild = errors.New("this build cannot open it yet")

// Open opens the device at a. Cancelling ctx ends the opening, not the port.
func Open(ctx context.Context, a Address, o Options) (Port, error) {
	if o.DialTimeout == 0 {
		o.DialTimeout = DefaultDialTimeout
	}
	if o.WriteTimeout == 0 {
		o.WriteTimeout = DefaultWriteTimeout
	}
	if o.UserTimeout == 0 {
		o.UserTimeout = DefaultUserTimeout
	}
	switch a.Scheme {
	case TCP:
		return openTCP(ctx, a, o)
	case File:
		return openFile(a)
	case Serial:
		return openSerial(ctx, a, o)
	case USB:
		return openUSB(ctx, a, o)
	}
	return nil, errors.New("open: the address names nothing")
}
