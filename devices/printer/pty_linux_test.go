package printer

import (
	"context"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"aboyeur/devices/port"
	simulated "aboyeur/simulate/printer"
)

// openPTY makes a pseudo-terminal: the printer's end, and the path of ours.
func openPTY(t *testing.T) (*os.File, string) {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", unix.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK, 0)
	if err != nil {
		t.Skip("no pseudo-terminals here: ", err)
	}
	raw, err := master.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	n, inner := 0, error(nil)
	err = raw.Control(func(fd uintptr) {
		if inner = unix.IoctlSetPointerInt(int(fd), unix.TIOCSPTLCK, 0); inner == nil {
			n, inner = unix.IoctlGetInt(int(fd), unix.TIOCGPTN)
		}
	})
	if err != nil || inner != nil {
		t.Fatal(err, inner)
	}
	return master, fmt.Sprintf("/dev/pts/%d", n)
}

// plug is the printer's end of a serial line for as long as the printer has power.
type plug struct {
	*os.File
	out *atomic.Bool
}

func (p plug) Read(b []byte) (int, error) {
	n, err := p.File.Read(b)
	if p.out.Load() {
		return 0, os.ErrClosed
	}
	return n, err
}

func (p plug) Close() error {
	p.out.Store(true)
	return p.SetDeadline(time.Now())
}

// attach keeps a simulated printer at the far end of a serial line until the test ends.
func attach(t *testing.T, sim *simulated.Printer, master *os.File) {
	ctx, stop := context.WithCancel(context.Background())
	var done sync.WaitGroup
	done.Go(func() {
		noise := make([]byte, 4096)
		for ctx.Err() == nil {
			master.SetDeadline(time.Time{})
			sim.ServeConn(ctx, plug{master, new(atomic.Bool)})
			master.SetDeadline(time.Now().Add(5 * time.Millisecond)) // what comes while the printer is off is lost
			if _, err := master.Read(noise); err != nil && ctx.Err() == nil && !os.IsTimeout(err) {
				time.Sleep(time.Millisecond) // nobody has our end open
			}
		}
	})
	t.Cleanup(func() {
		stop()
		sim.Close()
		master.SetDeadline(time.Now())
		done.Wait()
		master.Close()
	})
}

// TestFaultsOverPTY is a sample of the property of spec/escpos.md 10.12 over a pseudo-terminal, through the serial port.
func TestFaultsOverPTY(t *testing.T) {
	n := 8
	if *long {
		n = 300
	}
	var faults []simulated.Fault
	for _, f := range sample(2 * n) {
		switch f.Kind {
		case simulated.DropLink, simulated.Reset, simulated.PowerCycle:
			// A cable out loses bytes in the middle, and lost power is known by a long silence only: line_test.go.
		default:
			faults = append(faults, f)
		}
	}
	for i, f := range faults[:min(n, len(faults))] {
		t.Run(fmt.Sprintf("%d %s %s", i, f.Kind, f.Where), func(t *testing.T) {
			t.Parallel()
			sim, err := simulated.New(simulated.Config{Log: quiet, PowerPause: 50 * time.Millisecond})
			if err != nil {
				t.Fatal(err)
			}
			master, path := openPTY(t)
			attach(t, sim, master)
			a, err := port.Parse("serial:" + path + "?baud=115200&parity=none")
			if err != nil {
				t.Fatal(err)
			}
			ledger := newLedger(t)
			endure(t, f, sim, ledger, overAddress(t, a, ledger))
		})
	}
}
