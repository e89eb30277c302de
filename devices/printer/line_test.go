package printer

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
	"testing"
	"time"

	"aboyeur/devices/port"
	simulated "aboyeur/simulate/printer"
)

// A line is a serial cable with hardware flow control: it stays when the printer's power goes, and what is sent
// meanwhile waits no longer than the driver does.
type line struct{ closing sync.WaitGroup }

// serve joins the host's end to the printer until the host closes it.
func (l *line) serve(host net.Conn, sim *simulated.Printer) {
	gone := make(chan struct{})
	to := make(chan []byte)
	l.closing.Go(func() {
		defer close(gone)
		buf := make([]byte, 4096)
		for {
			n, err := host.Read(buf)
			if err != nil {
				return
			}
			to <- append([]byte(nil), buf[:n]...)
		}
	})
	defer host.Close()
	for {
		near, far := net.Pipe()
		ended := make(chan struct{})
		l.closing.Go(func() { defer close(ended); sim.ServeConn(context.Background(), far) })
		l.closing.Go(func() {
			buf := make([]byte, 256)
			for {
				n, err := near.Read(buf)
				if err != nil {
					return
				}
				host.Write(buf[:n])
			}
		})
		for open := true; open; {
			select {
			case b := <-to:
				near.Write(b) // what the printer dies of is lost with it
			case <-ended:
				open = false
			case <-gone:
				near.Close()
				<-ended
				return
			}
		}
		near.Close()
		select { // the printer is off
		case <-time.After(100 * time.Millisecond):
		case <-gone:
			return
		}
	}
}

// A serial line does not tell that the printer's power was gone: no answer to a later question may stand for the ticket's.
func TestFaultsOverASerialLine(t *testing.T) {
	serial, err := port.Parse("serial:/dev/ttyUSB0?baud=9600&parity=none")
	if err != nil {
		t.Fatal(err)
	}
	stride, lot := 2, 6
	switch {
	case *long:
		stride, lot = 1, 1
	case raceDetector:
		stride = 50
	}
	for _, fault := range modes() {
		switch fault.Kind {
		case simulated.DropLink, simulated.Reset: // not on this kind of link
			continue
		case simulated.PowerCycle:
			fault.For = max(fault.For, simulated.Duration(2*time.Second)) // printers take their time to come up
		}
		t.Run(fmt.Sprintf("%s %s %v %d%s", fault.Kind, fault.Where, time.Duration(fault.For), fault.Count, fault.Data), func(t *testing.T) {
			for at := rand.IntN(stride); at < ticketBytes; at += stride {
				drawn := rand.IntN(lot)
				for i, without := range []simulated.Abilities{0, simulated.ProcessID, simulated.ASB} {
					for j, buffer := range []int{0, 50} {
						if lot > 1 && drawn != 2*i+j {
							continue
						}
						fault.At = int64(at)
						trial{fault: fault, without: without, buffer: buffer, serial: serial}.run(t)
						if t.Failed() {
							return
						}
					}
				}
			}
		})
	}
}
