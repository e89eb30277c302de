package port

import (
	"context"
	"fmt"
	"io"
	"net"
	"strconv"
	"sync/atomic"
	"time"
)

// goodbye is how long Close waits for the peer's own end of the stream.
const goodbye = 250 * time.Millisecond

// Keep-alive of an idle link: a printer switched off is noticed within a minute (spec/escpos.md 13).
var keepAlive = net.KeepAliveConfig{Enable: true, Idle: 30 * time.Second, Interval: 10 * time.Second, Count: 3}

// tcpPort is a socket to a printer's raw port.
type tcpPort struct {
	*net.TCPConn
	o        Options
	deadline atomic.Bool // the caller set a write deadline
}

func openTCP(ctx context.Context, a Address, o Options) (Port, error) {
	d := net.Dialer{Timeout: o.DialTimeout, KeepAliveConfig: keepAlive}
	c, err := d.DialContext(ctx, "tcp", net.JoinHostPort(a.Host, strconv.Itoa(int(a.Port))))
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", a, err)
	}
	p := &tcpPort{TCPConn: c.(*net.TCPConn), o: o}
	if err := p.SetNoDelay(true); err != nil {
		c.Close()
		return nil, fmt.Errorf("open %s: no delay: %w", a, err)
	}
	if err := p.SetPatient(false); err != nil {
		c.Close()
		return nil, fmt.Errorf("open %s: user timeout: %w", a, err)
	}
	return p, nil
}

func (p *tcpPort) OneWay() bool { return false }

func (p *tcpPort) Write(b []byte) (int, error) {
	if !p.deadline.Load() {
		if err := p.TCPConn.SetWriteDeadline(time.Now().Add(p.o.WriteTimeout)); err != nil {
			return 0, err
		}
	}
	return p.TCPConn.Write(b)
}

// SetWriteDeadline sets the deadline of this and later writes; the zero time goes back to Options.WriteTimeout a write.
func (p *tcpPort) SetWriteDeadline(t time.Time) error {
	p.deadline.Store(!t.IsZero())
	return p.TCPConn.SetWriteDeadline(t)
}

// Close says goodbye in the order printers survive: our end first, then what the peer still has to say, then its end.
// A close over unread bytes would be a reset, which has wedged printers until they were switched off (spec/escpos.md 13).
func (p *tcpPort) Close() error {
	if p.CloseWrite() == nil && p.SetReadDeadline(time.Now().Add(goodbye)) == nil {
		// A chatty peer cannot hold us: the deadline is one for all reads.
		_, _ = io.Copy(io.Discard, p.TCPConn)
	}
	return p.TCPConn.Close()
}
