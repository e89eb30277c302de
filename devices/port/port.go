package port

import (
	"context"
	"io"
	"time"
)

// A Port is an open device: a stream of bytes each way. One goroutine may read while another writes; Close ends both.
type Port interface {
	// Read blocks until something came, the read deadline passed (os.ErrDeadlineExceeded) or the port ended.
	// A one-way port blocks until one of the latter two.
	io.Reader
	// Write returns how many bytes the device took, also with an error. After os.ErrDeadlineExceeded the caller may
	// go on at that offset; after any other error nobody knows what arrived.
	io.Writer
	SetReadDeadline(t time.Time) error
	SetWriteDeadline(t time.Time) error
	// OneWay says that this port never delivers an answer.
	OneWay() bool
	io.Closer
}

// Options of Open. The zero value is good.
type Options struct {
	DialTimeout  time.Duration // 0 means DefaultDialTimeout
	WriteTimeout time.Duration // for a Write without a deadline of its own; 0 means DefaultWriteTimeout
	UserTimeout  time.Duration // unanswered bytes for this long end a tcp link; 0 means DefaultUserTimeout
}

// Open opens the device at a.
func Open(ctx context.Context, a Address, o Options) (Port, error) { return open(ctx, a, o) }
