package cable

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
)

// Times and sizes of the laptop's side.
const (
	window  = 16 << 10 // bytes under way that the box has not confirmed: more than a line at 921600 baud holds in its round trip
	piece   = maxPayload - 4
	answer  = 2 * time.Second        // without an answer or a confirmation for so long, it is asked or sent again
	poll    = 500 * time.Millisecond // between two questions for what became of a bundle
	tries   = 10                     // questions without any answer before the line is given up
	settled = 3 * time.Minute        // at most until the box has judged a bundle
)

// ErrSilent says that nothing on the line answers as a box does.
var ErrSilent = errors.New("no box answers on this line; is the cable in, and is it the box's port?")

// An Answer is a box's own no to a question.
type Answer struct{ Text string }

func (a *Answer) Error() string { return "the box says: " + a.Text }

// A Client asks on the laptop's side. Its methods are for one goroutine.
type Client struct {
	line   io.ReadWriteCloser
	frames chan frame
	ended  chan struct{} // closed when the line ends
	err    error         // why; valid then
	id     uint32
	out    []byte
}

// NewClient begins to listen on a line. Close the client when done.
func NewClient(line io.ReadWriteCloser) *Client {
	c := &Client{line: line, frames: make(chan frame, 64), ended: make(chan struct{})} // a window's confirmations
	go c.listen()
	return c
}

// listen hands on what comes. What nobody takes in time is lost, as on a line.
func (c *Client) listen() {
	in := &scanner{r: c.line}
	defer close(c.ended)
	for {
		f, err := in.next()
		if errors.Is(err, os.ErrDeadlineExceeded) {
			continue
		}
		if err != nil {
			c.err = err
			return
		}
		f.payload = append([]byte(nil), f.payload...)
		select {
		case c.frames <- f:
		default:
		}
	}
}

// Close ends the line and waits for the listener.
func (c *Client) Close() error {
	err := c.line.Close()
	<-c.ended
	return err
}

func (c *Client) write(f frame) error {
	c.out = f.appendTo(c.out[:0])
	_, err := c.line.Write(c.out)
	return err
}

// next waits for a frame until the timer fires; ok is false then.
func (c *Client) next(ctx context.Context, timer <-chan time.Time) (f frame, ok bool, err error) {
	select {
	case f := <-c.frames:
		return f, true, nil
	case <-timer:
		return frame{}, false, nil
	case <-c.ended:
		return frame{}, false, c.err
	case <-ctx.Done():
		return frame{}, false, ctx.Err()
	}
}

// ask puts a question until it is answered.
func (c *Client) ask(ctx context.Context, kind, want byte, question any) (frame, error) {
	c.id++
	q, err := encode(kind, c.id, question)
	if err != nil {
		return frame{}, err
	}
	for range tries {
		if err := c.write(q); err != nil {
			return frame{}, err
		}
		timer := time.NewTimer(answer)
		for {
			f, ok, err := c.next(ctx, timer.C)
			if err != nil {
				timer.Stop()
				return frame{}, err
			}
			if !ok {
				break
			}
			if f.id != q.id {
				continue // of an earlier question, or a confirmation that came late
			}
			switch f.kind {
			case want:
				timer.Stop()
				return f, nil
			case sayNo:
				timer.Stop()
				var n no
				if err := decode(f, &n); err != nil {
					return frame{}, err
				}
				return frame{}, &Answer{n.Text}
			}
		}
	}
	return frame{}, ErrSilent
}

// Hello asks the box what it is.
func (c *Client) Hello(ctx context.Context) (w Welcome, err error) {
	f, err := c.ask(ctx, askHello, sayWelcome, version)
	if err == nil {
		err = decode(f, &w)
	}
	if err == nil && w.Version != version {
		err = fmt.Errorf("the box speaks version %d of the cable's language and this program %d; use the program of the box's version", w.Version, version)
	}
	return w, err
}

// Text reads what the box has to say: "status" or "logs".
func (c *Client) Text(ctx context.Context, what string) (string, error) {
	var b strings.Builder
	for {
		f, err := c.ask(ctx, askRead, sayText, read{what, b.Len()})
		if err != nil {
			return "", err
		}
		v, part, err := cutLine(f.payload)
		if err != nil {
			return "", err
		}
		b.Write(part)
		if b.Len() >= v.Total || len(part) == 0 {
			return b.String(), nil
		}
	}
}

// A Transfer is one try to bring a bundle, over as many lines as it takes.
type Transfer struct {
	file     io.ReaderAt
	size     int64
	sum, try string
	anySite  bool
}

// NewTransfer makes one of a file. anySite says that the box may be of another site.
func NewTransfer(file io.ReaderAt, size int64, anySite bool) (*Transfer, error) {
	sum := sha256.New()
	if _, err := io.Copy(sum, io.NewSectionReader(file, 0, size)); err != nil {
		return nil, err
	}
	return &Transfer{file, size, hex.EncodeToString(sum.Sum(nil)), rand.Text(), anySite}, nil
}

// Send sends the file. What the box has of it already is not sent again. progress is told how much the box has.
func (c *Client) Send(ctx context.Context, t *Transfer, progress func(have, size int64)) error {
	file, size := t.file, t.size
	f, err := c.ask(ctx, askBegin, sayBegun, begin{size, t.sum, t.try})
	if err != nil {
		return err
	}
	var b begun
	if err := decode(f, &b); err != nil {
		return err
	}
	if b.Offset < 0 || b.Offset > size {
		return fmt.Errorf("the box claims to have %d bytes of %d", b.Offset, size)
	}
	have, sent := b.Offset, b.Offset
	progress(have, size)
	payload := binary.BigEndian.AppendUint32(make([]byte, 0, maxPayload), b.Session)
	silent := 0
	for have < size {
		for sent < size && sent-have < window {
			n := min(piece, size-sent)
			if _, err := file.ReadAt(payload[4:4+n], sent); err != nil {
				return err
			}
			if err := c.write(frame{putData, uint32(sent), payload[:4+n]}); err != nil {
				return err
			}
			sent += n
			if len(c.frames) > 0 {
				break
			}
		}
		timer := time.NewTimer(answer)
		f, ok, err := c.next(ctx, timer.C)
		timer.Stop()
		switch {
		case err != nil:
			return err
		case !ok:
			if silent++; silent == tries {
				return ErrSilent
			}
			sent = have
		case f.kind == sayNo:
			var n no
			if err := decode(f, &n); err != nil {
				return err
			}
			return &Answer{n.Text}
		case f.kind == sayHave && int64(f.id) >= have && int64(f.id) <= size:
			silent = 0
			if have = int64(f.id); len(f.payload) == 1 && f.payload[0] == 1 || sent < have {
				sent = have
			}
			progress(have, size)
		}
	}
	return nil
}

// Finish has the box apply the file that was sent, and waits for what becomes of it. wait is told that it goes on.
func (c *Client) Finish(ctx context.Context, t *Transfer, wait func()) (State, error) {
	ctx, cancel := context.WithTimeout(ctx, settled)
	defer cancel()
	for {
		f, err := c.ask(ctx, askFinish, sayState, finish{t.sum, t.try, t.anySite})
		if err != nil {
			return State{}, err
		}
		var st State
		if err := decode(f, &st); err != nil {
			return State{}, err
		}
		if st.Done {
			return st, nil
		}
		wait()
		select {
		case <-ctx.Done():
			return State{}, ctx.Err()
		case <-c.ended:
			return State{}, c.err
		case <-time.After(poll):
		}
	}
}
