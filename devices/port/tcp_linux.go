package port

import (
	"time"

	"golang.org/x/sys/unix"
)

// SetPatient implements Patient with TCP_USER_TIMEOUT.
func (p *tcpPort) SetPatient(on bool) error {
	var ms int // 0: the kernel's own patience, which lasts as long as its probes are answered
	if !on {
		ms = int(p.o.UserTimeout.Milliseconds())
	}
	return p.control(func(fd int) error { return unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, ms) })
}

// Unheard implements Patient. A single probe or retransmission under way is no silence: only the second in a row is.
func (p *tcpPort) Unheard() (d time.Duration) {
	err := p.control(func(fd int) error {
		info, err := unix.GetsockoptTCPInfo(fd, unix.IPPROTO_TCP, unix.TCP_INFO)
		if err == nil && (info.Retransmits > 1 || info.Probes > 1) {
			d = time.Duration(info.Last_ack_recv) * time.Millisecond
		}
		return err
	})
	if err != nil {
		return 0
	}
	return d
}

func (p *tcpPort) control(f func(fd int) error) error {
	raw, err := p.SyscallConn()
	if err != nil {
		return err
	}
	var inner error
	if err := raw.Control(func(fd uintptr) { inner = f(int(fd)) }); err != nil {
		return err
	}
	return inner
}
