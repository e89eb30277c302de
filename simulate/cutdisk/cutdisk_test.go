package cutdisk

import (
	"bytes"
	"context"
	"encoding/binary"
	"io"
	"math/rand/v2"
	"net"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// memory is a backing without a file.
type memory []byte

func (m memory) ReadAt(p []byte, offset int64) (int, error)  { return copy(p, m[offset:]), nil }
func (m memory) WriteAt(p []byte, offset int64) (int, error) { return copy(m[offset:], p), nil }

func sector(b byte) []byte { return bytes.Repeat([]byte{b}, sectorSize) }

func TestCut(t *testing.T) {
	t.Parallel()
	const sectors = 200
	old, mixed, newest := 0, 0, 0
	for seed := range uint64(10) {
		m := make(memory, 2*sectors*sectorSize)
		d := New(m, int64(len(m)))
		write := func(n int, b byte) {
			t.Helper()
			if _, err := d.WriteAt(sector(b), int64(n*sectorSize)); err != nil {
				t.Fatal(err)
			}
		}
		for n := range sectors {
			write(n, 1)
		}
		if err := d.Flush(); err != nil {
			t.Fatal(err)
		}
		for n := range sectors {
			write(n, 2)
			write(n, 3)
		}
		got := make([]byte, sectorSize)
		if _, err := d.ReadAt(got, 0); err != nil || got[0] != 3 {
			t.Fatalf("read %d %v, want what was written last", got[0], err)
		}
		cached, lost, err := d.Cut(rand.New(rand.NewPCG(seed, 0)))
		if err != nil || cached != sectors || lost == 0 || lost == sectors {
			t.Fatalf("%d of %d lost, %v", lost, cached, err)
		}
		for n := range sectors {
			s := m[n*sectorSize : (n+1)*sectorSize]
			if !bytes.Equal(s, sector(s[0])) {
				t.Fatalf("sector %d is torn", n)
			}
			switch s[0] {
			case 1:
				old++
			case 2:
				mixed++
			case 3:
				newest++
			default:
				t.Fatalf("sector %d holds %d: what was flushed is gone", n, s[0])
			}
		}
		if _, err := d.WriteAt(sector(4), 0); err == nil {
			t.Error("a disk without power was written")
		}
		if err := d.Flush(); err == nil {
			t.Error("a disk without power was flushed")
		}
	}
	if old == 0 || mixed == 0 || newest == 0 {
		t.Errorf("of sectors not flushed %d are old, %d between, %d new", old, mixed, newest)
	}
}

func TestBounds(t *testing.T) {
	t.Parallel()
	d := New(make(memory, 4*sectorSize), 4*sectorSize+100)
	if d.Size() != 4*sectorSize {
		t.Errorf("size %d", d.Size())
	}
	for _, c := range []struct {
		offset int64
		n      int
	}{{-512, 512}, {2048, 512}, {1536, 1024}, {1 << 62, 512}, {100, 512}, {0, 100}} {
		if _, err := d.WriteAt(make([]byte, c.n), c.offset); err == nil {
			t.Errorf("%d bytes at %d were written", c.n, c.offset)
		}
	}
}

// A client that speaks as QEMU does.
func TestServe(t *testing.T) {
	t.Parallel()
	m := make(memory, 64*sectorSize)
	d := New(m, int64(len(m)))
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- d.Serve(ctx, l) }()
	defer func() {
		cancel()
		if err := <-served; err != nil {
			t.Error(err)
		}
	}()
	conn, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	send := func(values ...any) {
		t.Helper()
		for _, v := range values {
			if err := binary.Write(conn, binary.BigEndian, v); err != nil {
				t.Fatal(err)
			}
		}
	}
	want := func(what string, values ...any) {
		t.Helper()
		var b bytes.Buffer
		for _, v := range values {
			if err := binary.Write(&b, binary.BigEndian, v); err != nil {
				t.Fatal(err)
			}
		}
		got := make([]byte, b.Len())
		if _, err := io.ReadFull(conn, got); err != nil || !bytes.Equal(got, b.Bytes()) {
			t.Fatalf("%s: %x, want %x: %v", what, got, b.Bytes(), err)
		}
	}
	want("greeting", uint64(magicServer), uint64(magicOption), uint16(newstyle|noZeroes))
	send(uint32(newstyle | noZeroes))
	send(uint64(magicOption), uint32(8), uint32(0)) // structured replies
	want("refusal", uint64(magicReply), uint32(8), uint32(replyUnsupported), uint32(0))
	send(uint64(magicOption), uint32(optGo), uint32(6), make([]byte, 6))
	want("export", uint64(magicReply), uint32(optGo), uint32(replyInfo), uint32(12), uint16(0), uint64(len(m)), uint16(hasFlags|sendFlush))
	want("end of options", uint64(magicReply), uint32(optGo), uint32(replyAck), uint32(0))
	request := func(kind uint16, offset, length int, data ...any) {
		t.Helper()
		send(append([]any{uint32(magicRequest), uint16(0), kind, uint64(7), uint64(offset), uint32(length)}, data...)...)
	}
	answer := func(what string, code uint32, data ...any) {
		t.Helper()
		want(what, append([]any{uint32(magicSimple), code, uint64(7)}, data...)...)
	}
	request(cmdWrite, sectorSize, 2*sectorSize, sector(5), sector(6))
	answer("write", 0)
	request(cmdRead, 2*sectorSize, sectorSize)
	answer("read", 0, sector(6))
	if n := d.Cached(); n != 2 {
		t.Errorf("%d sectors wait to be flushed, want 2", n)
	}
	if m[sectorSize] != 0 {
		t.Error("it is on the disk before it was flushed")
	}
	request(cmdFlush, 0, 0)
	answer("flush", 0)
	if m[sectorSize] != 5 || d.Flushes() != 1 {
		t.Errorf("after %d flushes the disk holds %d", d.Flushes(), m[sectorSize])
	}
	request(cmdRead, 64*sectorSize, sectorSize)
	answer("read beyond the end", errIO)
	request(9, 0, 0)
	answer("an unknown command", errInvalid)
	if _, _, err := d.Cut(rand.New(rand.NewPCG(1, 1))); err != nil {
		t.Fatal(err)
	}
	request(cmdFlush, 0, 0)
	if n, err := conn.Read(make([]byte, 1)); err == nil {
		t.Errorf("a disk without power said %d bytes", n)
	}
}

// FuzzClient has anything said to the disk: it neither panics nor writes outside itself.
func FuzzClient(f *testing.F) {
	var b bytes.Buffer
	for _, v := range []any{uint32(newstyle), uint64(magicOption), uint32(optExportName), uint32(0),
		uint32(magicRequest), uint16(0), uint16(cmdWrite), uint64(1), uint64(0), uint32(sectorSize), sector(1),
		uint32(magicRequest), uint16(0), uint16(cmdFlush), uint64(2), uint64(0), uint32(0)} {
		if err := binary.Write(&b, binary.BigEndian, v); err != nil {
			f.Fatal(err)
		}
	}
	f.Add(b.Bytes())
	f.Add([]byte("GET / HTTP/1.1\r\n"))
	f.Fuzz(func(t *testing.T, said []byte) {
		m := make(memory, 8*sectorSize)
		d := New(m, int64(len(m)))
		_ = d.ServeConn(struct {
			io.Reader
			io.Writer
		}{bytes.NewReader(said), io.Discard})
		if len(m) != 8*sectorSize {
			t.Error("the disk grew")
		}
	})
}
