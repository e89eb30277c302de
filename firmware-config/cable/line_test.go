package cable

import (
	"context"
	"flag"
	"io"
	"net"
	"sync"
	"testing"
	"time"
)

var long = flag.Bool("long", false, "the line's rate in real time, over pseudo-terminals")

// TestLineRateOnTerminals sends over a real pseudo-terminal, opened as a serial line is, whose other end lets bytes through
// as fast as the line would and no faster. Time is real here, so it needs a machine that has time; TestLineRate is the same
// in the bubble's.
func TestLineRateOnTerminals(t *testing.T) {
	if !*long {
		t.Skip("measures real time; with -long")
	}
	for _, baud := range []int{115200, 921600} {
		b := &bench{verdict: State{Code: "applied"}}
		s := NewServer(t.TempDir(), b)
		defer s.Close()
		terminal, laptop := pty(t)
		near, far := net.Pipe()
		ctx, cancel := context.WithCancel(t.Context())
		var work sync.WaitGroup
		work.Go(func() { _ = s.Serve(ctx, far) })
		work.Go(func() { pace(near, terminal, baud) })
		work.Go(func() { pace(terminal, near, baud) })
		c := NewClient(laptop)
		const seconds = 5
		file := randomBytes(seconds * baud / 10) // 8N1: ten bits a byte
		began := time.Now()
		err := c.Send(t.Context(), transfer(t, file, false), func(int64, int64) {})
		over := 100 * (time.Since(began).Seconds()/seconds - 1)
		c.Close()
		cancel()
		near.Close()
		far.Close()
		terminal.Close()
		work.Wait()
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%d baud: %d bytes, %.1f %% over the line's own time", baud, len(file), over)
		if over > 10 {
			t.Errorf("%d baud: %.1f %% over the line's own time, 10 at most", baud, over)
		}
	}
}

// pace carries what comes from one end to the other, as fast as a line of that rate. A pseudo-terminal that nobody has open
// yet says EIO; the test ends both ends when it is done.
func pace(to io.Writer, from io.Reader, baud int) {
	const slack = 50 * time.Millisecond
	buf := make([]byte, 256)
	free := time.Now() // when the line has carried what it was given
	for {
		n, err := from.Read(buf)
		if n == 0 && err != nil {
			return
		}
		// Within slack, what is read now was there before: the line was never idle, this machine only woke up late.
		if now := time.Now(); now.Sub(free) > slack {
			free = now
		}
		free = free.Add(time.Duration(n) * 10 * time.Second / time.Duration(baud))
		time.Sleep(time.Until(free))
		if _, err := to.Write(buf[:n]); err != nil {
			return
		}
	}
}
