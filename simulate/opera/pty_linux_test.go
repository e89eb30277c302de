package opera

import (
	"fmt"
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

// openPty makes a pseudo-terminal in raw mode: both ends are serial lines.
func openPty(t testing.TB) (a, b *os.File) {
	t.Helper()
	m, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK, 0)
	if err != nil {
		t.Skipf("no pseudo-terminals here: %v", err)
	}
	t.Cleanup(func() { m.Close() })
	raw, err := m.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var n int
	raw.Control(func(fd uintptr) {
		if err = unix.IoctlSetPointerInt(int(fd), unix.TIOCSPTLCK, 0); err == nil {
			n, err = unix.IoctlGetInt(int(fd), unix.TIOCGPTN)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	s, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	if raw, err = s.SyscallConn(); err != nil {
		t.Fatal(err)
	}
	raw.Control(func(fd uintptr) {
		tio := unix.Termios{Cflag: unix.CS8 | unix.CREAD | unix.CLOCAL | unix.B38400}
		tio.Cc[unix.VMIN] = 1
		err = unix.IoctlSetTermios(int(fd), unix.TCSETS, &tio)
	})
	if err != nil {
		t.Fatal(err)
	}
	return m, s
}
