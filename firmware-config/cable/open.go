package cable

import (
	"context"
	"io"
	"strconv"
	"strings"
	"time"

	"aboyeur/devices/port"
)

// DefaultBaud is the rate of a line that is no USB cable; over USB it means nothing.
const DefaultBaud = 115200

// readWithin ends a read now and then, so that who reads can look whether to go on.
const readWithin = time.Second

// Open opens a tty at a rate: /dev/ttyACM0, or whatever else is a serial line.
func Open(ctx context.Context, device string, baud int) (io.ReadWriteCloser, error) {
	a, err := port.Parse("serial:" + device + "?baud=" + strconv.Itoa(baud))
	if err != nil {
		if strings.HasPrefix(device, "serial:") {
			a, err = port.Parse(device)
		}
		if err != nil {
			return nil, err
		}
	}
	p, err := port.Open(ctx, a, port.Options{})
	if err != nil {
		return nil, err
	}
	return line{p}, nil
}

// line is a port whose silence is none of the reader's faults.
type line struct{ port.Port }

func (l line) Read(p []byte) (int, error) {
	if err := l.SetReadDeadline(time.Now().Add(readWithin)); err != nil {
		return 0, err
	}
	return l.Port.Read(p)
}
