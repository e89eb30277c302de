package cutdisk

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
)

// Numbers of the NBD protocol, fixed newstyle (https://github.com/NetworkBlockDevice/nbd/blob/master/doc/proto.md).
const (
	magicServer  = 0x4e42444d41474943 // "NBDMAGIC"
	magicOption  = 0x49484156454f5054 // "IHAVEOPT"
	magicReply   = 0x0003e889045565a9
	magicRequest = 0x25609513
	magicSimple  = 0x67446698

	newstyle = 1 << 0
	noZeroes = 1 << 1

	optExportName = 1
	optAbort      = 2
	optInfo       = 6
	optGo         = 7

	replyAck         = 1
	replyInfo        = 3
	replyUnsupported = 1<<31 | 1

	hasFlags    = 1 << 0
	sendFlush   = 1 << 2
	exportFlags = hasFlags | sendFlush

	cmdRead       = 0
	cmdWrite      = 1
	cmdDisconnect = 2
	cmdFlush      = 3

	errIO      = 5
	errInvalid = 22

	maxOption  = 4 << 10  // bytes of an option that is read
	maxRequest = 32 << 20 // bytes of one read or write
)

var errProtocol = errors.New("not the NBD protocol")

// Serve answers NBD clients that come to l, one after another or at once, until ctx ends, and closes l.
func (d *Disk) Serve(ctx context.Context, l net.Listener) error {
	var clients sync.WaitGroup
	defer clients.Wait()
	stop := context.AfterFunc(ctx, func() { l.Close() })
	defer stop()
	defer l.Close()
	for {
		conn, err := l.Accept()
		if ctx.Err() != nil {
			if err == nil {
				conn.Close()
			}
			return nil
		}
		if err != nil {
			return err
		}
		clients.Go(func() {
			stop := context.AfterFunc(ctx, func() { conn.Close() })
			defer stop()
			defer conn.Close()
			_ = d.ServeConn(conn) // a client that is cut off is what this is for
		})
	}
}

// ServeConn answers one client until it goes or the disk is cut.
func (d *Disk) ServeConn(conn io.ReadWriter) error {
	c := &client{d: d, r: bufio.NewReaderSize(conn, 64<<10), w: bufio.NewWriterSize(conn, 64<<10)}
	goes, err := c.handshake()
	if err != nil || !goes {
		return err
	}
	for {
		if err := c.request(); err != nil {
			if err == io.EOF {
				return nil
			}
			return err
		}
	}
}

// client is one connection.
type client struct {
	d *Disk
	r *bufio.Reader
	w *bufio.Writer
}

// send writes numbers in network order and flushes.
func (c *client) send(values ...any) error {
	for _, v := range values {
		if err := binary.Write(c.w, binary.BigEndian, v); err != nil {
			return err
		}
	}
	return c.w.Flush()
}

// handshake agrees on the one disk there is; false when the client only asked.
func (c *client) handshake() (bool, error) {
	if err := c.send(uint64(magicServer), uint64(magicOption), uint16(newstyle|noZeroes)); err != nil {
		return false, err
	}
	var wants uint32
	if err := binary.Read(c.r, binary.BigEndian, &wants); err != nil {
		return false, err
	}
	for {
		var option struct {
			Magic          uint64
			Option, Length uint32
		}
		if err := binary.Read(c.r, binary.BigEndian, &option); err != nil {
			return false, err
		}
		if option.Magic != magicOption || option.Length > maxOption {
			return false, errProtocol
		}
		if _, err := c.r.Discard(int(option.Length)); err != nil { // which export: there is one
			return false, err
		}
		reply := func(kind uint32) error { return c.send(uint64(magicReply), option.Option, kind, uint32(0)) }
		switch option.Option {
		case optExportName:
			if err := c.send(uint64(c.d.size), uint16(exportFlags)); err != nil {
				return false, err
			}
			if wants&noZeroes == 0 {
				return true, c.send(make([]byte, 124))
			}
			return true, nil
		case optInfo, optGo:
			about := export{0, uint64(c.d.size), exportFlags}
			if err := c.send(uint64(magicReply), option.Option, uint32(replyInfo), uint32(binary.Size(about)), about); err != nil {
				return false, err
			}
			if err := reply(replyAck); err != nil {
				return false, err
			}
			if option.Option == optGo {
				return true, nil
			}
		case optAbort:
			return false, reply(replyAck)
		default:
			if err := reply(replyUnsupported); err != nil {
				return false, err
			}
		}
	}
}

// export is what an answer says of the disk.
type export struct {
	Kind  uint16
	Size  uint64
	Flags uint16
}

// request answers one request; io.EOF when the client has said that it goes.
func (c *client) request() error {
	var q struct {
		Magic       uint32
		Flags, Kind uint16
		Handle      uint64
		Offset      uint64
		Length      uint32
	}
	if err := binary.Read(c.r, binary.BigEndian, &q); err != nil {
		return err
	}
	if q.Magic != magicRequest || q.Length > maxRequest || q.Offset > 1<<62 {
		return fmt.Errorf("request %x of %d bytes at %d: %w", q.Magic, q.Length, q.Offset, errProtocol)
	}
	switch q.Kind {
	case cmdRead:
		b := make([]byte, q.Length)
		if _, err := c.d.ReadAt(b, int64(q.Offset)); err != nil {
			return c.answer(q.Handle, err)
		}
		return c.send(uint32(magicSimple), uint32(0), q.Handle, b)
	case cmdWrite:
		b := make([]byte, q.Length)
		if _, err := io.ReadFull(c.r, b); err != nil {
			return err
		}
		_, err := c.d.WriteAt(b, int64(q.Offset))
		return c.answer(q.Handle, err)
	case cmdFlush:
		return c.answer(q.Handle, c.d.Flush())
	case cmdDisconnect:
		return io.EOF
	}
	return c.send(uint32(magicSimple), uint32(errInvalid), q.Handle)
}

// answer ends a request without data. A disk without power answers nothing.
func (c *client) answer(handle uint64, err error) error {
	var code uint32
	switch {
	case errors.Is(err, errCut):
		return err
	case err != nil:
		code = errIO
	}
	return c.send(uint32(magicSimple), code, handle)
}
