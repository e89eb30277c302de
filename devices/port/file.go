package port

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"
	"syscall"
	"time"
)

// filePort appends to a file and never answers.
type filePort struct {
	f *os.File

	mu       sync.Mutex // guards deadline and moved
	deadline time.Time  // of reads

	moved  chan struct{}
	closed chan struct{}
	once   sync.Once
}

func openFile(a Address) (Port, error) {
	// Without O_NONBLOCK a fifo nobody reads would hang the opening for ever.
	f, err := os.OpenFile(a.Path, os.O_WRONLY|os.O_APPEND|os.O_CREATE|syscall.O_NONBLOCK, 0o640)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("open %s: %w; create its folder first", a, err)
	case err != nil:
		return nil, fmt.Errorf("open %s: %w", a, err)
	}
	return &filePort{f: f, moved: make(chan struct{}), closed: make(chan struct{})}, nil
}

func (p *filePort) OneWay() bool { return true }

func (p *filePort) Write(b []byte) (int, error) { return p.f.Write(b) }

// SetWriteDeadline works where the system can wait for the file (a fifo); writing to a plain file does not wait.
func (p *filePort) SetWriteDeadline(t time.Time) error {
	if err := p.f.SetWriteDeadline(t); err != nil && !errors.Is(err, os.ErrNoDeadline) {
		return err
	}
	return nil
}

func (p *filePort) SetReadDeadline(t time.Time) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.deadline = t
	close(p.moved)
	p.moved = make(chan struct{})
	return nil
}

// Read waits for the deadline or the end.
func (p *filePort) Read(b []byte) (int, error) {
	if len(b) == 0 {
		return 0, nil
	}
	for {
		p.mu.Lock()
		deadline, moved := p.deadline, p.moved
		p.mu.Unlock()
		var late <-chan time.Time
		if !deadline.IsZero() {
			timer := time.NewTimer(time.Until(deadline))
			defer timer.Stop()
			late = timer.C
		}
		select {
		case <-p.closed:
			return 0, os.ErrClosed
		case <-late:
			return 0, os.ErrDeadlineExceeded
		case <-moved:
		}
	}
}

func (p *filePort) Close() error {
	p.once.Do(func() { close(p.closed) })
	return p.f.Close()
}
