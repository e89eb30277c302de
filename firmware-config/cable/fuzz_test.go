package cable

import (
	"bytes"
	"context"
	"io"
	"testing"
	"testing/iotest"
)

// FuzzScanner gives the scanner whatever a line says. A frame it finds is one that appendTo writes, and how the bytes are
// split makes no difference.
func FuzzScanner(f *testing.F) {
	good := frame{askBegin, 7, []byte(`{"size":5}`)}.appendTo(nil)
	f.Add(good)
	f.Add(append([]byte("login: \xA5\x5A"), good...))
	f.Add(append(good[:len(good)-3:len(good)-3], good...))
	f.Fuzz(func(t *testing.T, b []byte) {
		all := func(r io.Reader) (wire []byte, frames int) {
			for s := (&scanner{r: r}); ; frames++ {
				f, err := s.next()
				if err != nil {
					return wire, frames
				}
				one := f.appendTo(nil)
				if !bytes.Contains(b, one) {
					t.Fatalf("found %q, which does not stand in %q", one, b)
				}
				wire = append(wire, one...)
			}
		}
		whole, n := all(bytes.NewReader(b))
		if bytewise, m := all(iotest.OneByteReader(bytes.NewReader(b))); m != n || !bytes.Equal(bytewise, whole) {
			t.Fatalf("%d frames in one piece, %d byte by byte", n, m)
		}
	})
}

// FuzzServer lets anybody ask a box anything. It stays up, and what it says are frames.
func FuzzServer(f *testing.F) {
	ask := func(kind byte, v any) []byte {
		q, err := encode(kind, 1, v)
		if err != nil {
			f.Fatal(err)
		}
		return append([]byte{q.kind, byte(len(q.payload))}, q.payload...)
	}
	f.Add(ask(askHello, 1))
	f.Add(append(ask(askBegin, begin{5, "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", "x"}), ask(askRead, read{"logs", 0})...))
	f.Add(append(ask(askFinish, finish{SHA256: "00"}), putData, 6, 0, 0, 0, 1, 'x', 'y'))
	f.Fuzz(func(t *testing.T, b []byte) {
		s := NewServer(t.TempDir(), &bench{})
		defer s.Close()
		// The bytes are kinds, lengths and payloads, so that most of them arrive whole.
		for len(b) > 2 {
			n := min(int(b[1]), len(b)-2)
			answer, ok := s.answer(context.Background(), frame{b[0], 1, b[2 : 2+n]})
			b = b[2+n:]
			if !ok {
				continue
			}
			if len(answer.payload) > maxPayload {
				t.Fatalf("an answer of %d bytes", len(answer.payload))
			}
			back, err := (&scanner{r: bytes.NewReader(answer.appendTo(nil))}).next()
			if err != nil || back.kind != answer.kind || !bytes.Equal(back.payload, answer.payload) {
				t.Fatalf("answered %+v, which reads as %+v, %v", answer, back, err)
			}
		}
	})
}
