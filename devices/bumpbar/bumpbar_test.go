package bumpbar

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net"
	"testing"
	"time"

	"go.uber.org/goleak"

	"aboyeur/devices/port"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestBar: keys come one by one, a bar that was pulled out is read again, and noise on the line is bounded.
func TestBar(t *testing.T) {
	line, err := net.Listen("tcp", "127.0.0.1:0") // a serial line behind a device server
	if err != nil {
		t.Fatal(err)
	}
	defer line.Close()
	at, err := port.Parse("tcp:" + line.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	keys, states := make(chan byte, 1000), make(chan bool, 10)
	b, err := New(Config{Connect: at, OnKey: func(k byte) { keys <- k }, OnState: func(up bool) { states <- up }, Reconnect: time.Millisecond, Log: slog.New(slog.NewTextHandler(io.Discard, nil))})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- b.Run(ctx) }()
	get := func() byte {
		t.Helper()
		select {
		case k := <-keys:
			return k
		case <-time.After(time.Minute):
			t.Fatal("no key came")
			return 0
		}
	}
	for _, round := range []string{"1\r", "2"} {
		bar, err := line.Accept()
		if err != nil {
			t.Fatal(err)
		}
		if !<-states {
			t.Error("the line is told as gone when it came")
		}
		if _, err := bar.Write([]byte(round)); err != nil {
			t.Fatal(err)
		}
		for i := range round {
			if got := get(); got != round[i] {
				t.Errorf("key %q, want %q", got, round[i])
			}
		}
		bar.Close()
		if <-states {
			t.Error("the line is told as there when it went")
		}
	}
	bar, err := line.Accept()
	if err != nil {
		t.Fatal(err)
	}
	<-states
	if _, err := bar.Write(bytes.Repeat([]byte{'7'}, 500)); err != nil {
		t.Fatal(err)
	}
	bar.Close()
	<-states
	if n := len(keys); n == 0 || n > 3*Most {
		t.Errorf("of 500 bytes at once %d were taken for keys, want at most %d a second", n, Most)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("Run = %v", err)
	}
}

func TestNewWantsAnEar(t *testing.T) {
	if _, err := New(Config{}); err == nil {
		t.Error("a bar that nobody hears was made")
	}
}
