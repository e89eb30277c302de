package main

import (
	"fmt"
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// speeds are what a line of FIAS may have (fias.md 1.4), and some more.
var speeds = map[int]uint32{
	1200: unix.B1200, 2400: unix.B2400, 4800: unix.B4800, 9600: unix.B9600, 19200: unix.B19200, 38400: unix.B38400, 57600: unix.B57600,
	115200: unix.B115200,
}

// openSerial opens a serial line raw, 8 data bits, 1 stop bit, without flow control; DTR and RTS are raised by the driver.
func openSerial(name string, baud int, parity string) (io.ReadWriteCloser, error) {
	speed, ok := speeds[baud]
	if !ok {
		return nil, fmt.Errorf("baud %d: write 1200, 2400, 4800, 9600, 19200, 38400, 57600 or 115200", baud)
	}
	t := unix.Termios{Cflag: unix.CS8 | unix.CREAD | unix.CLOCAL | speed, Ispeed: speed, Ospeed: speed}
	t.Cc[unix.VMIN] = 1
	switch parity {
	case "none":
	case "odd":
		t.Cflag |= unix.PARENB | unix.PARODD
	case "even":
		t.Cflag |= unix.PARENB
	default:
		return nil, fmt.Errorf("parity %q: write none, odd or even", parity)
	}
	f, err := os.OpenFile(name, os.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	raw, err := f.SyscallConn()
	if err == nil {
		var e error
		err = raw.Control(func(fd uintptr) { e = unix.IoctlSetTermios(int(fd), unix.TCSETS, &t) })
		if err == nil {
			err = e
		}
	}
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("set the line: %w", err)
	}
	return f, nil
}
