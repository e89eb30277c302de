package bundle

import (
	"bytes"
	"errors"
	"io"
	"testing"
	"testing/iotest"
)

// FuzzRead gives the reader whatever comes. It may refuse by name, never otherwise; it takes nothing whose manifest it would
// write otherwise; and how the bytes are split makes no difference.
func FuzzRead(f *testing.F) {
	k := key("office", false)
	good := pack(f, manifest(), contents()[:1], k)
	f.Add(good)
	f.Add(good[:len(good)-10])
	f.Add([]byte(firstLine + "\nsite a\nnumber 1\ncreated 2026-11-21T19:04:05Z\n\n\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		m, _, err := Peek(bytes.NewReader(b))
		var no *Refusal
		if err != nil && !errors.As(err, &no) {
			t.Fatalf("Peek = %v, not a refusal", err)
		}
		if text := m.AppendTo(nil); err == nil && !bytes.HasPrefix(b, text) {
			t.Fatalf("read %q and would write %q", b, text)
		}
		// What anybody wrote, as if a trusted key had signed it: the parser behind the signature is tried too.
		if i := bytes.Index(b, []byte("\n\n")); i >= 0 && i < MaxHead/2 {
			head, err := sign(b[:i+2], k)
			if err != nil {
				t.Fatal(err)
			}
			b = append(head, b[i+2:]...)
		}
		all := func(r io.Reader) (string, string) {
			in, err := Open(r, Trust{Keys: []Key{k.Key}})
			if err == nil {
				err = in.Verify()
			}
			if err != nil && !errors.As(err, &no) {
				t.Fatalf("read = %v, not a refusal", err)
			}
			if err != nil {
				return "", no.Code
			}
			return string(in.Head), ""
		}
		head, refused := all(bytes.NewReader(b))
		if h, r := all(iotest.HalfReader(bytes.NewReader(b))); h != head || r != refused {
			t.Fatalf("in one piece %q, in halves %q", refused, r)
		}
	})
}

func FuzzKey(f *testing.F) {
	k := key("office", false)
	f.Add(k.String())
	f.Add(k.Text())
	f.Fuzz(func(t *testing.T, text string) {
		if k, err := ParseKey(text); err == nil {
			if again, err := ParseKey(k.String()); err != nil || !again.Same(k) {
				t.Errorf("%q reads as %v and again as %v, %v", text, k, again, err)
			}
		}
		if k, err := ParsePrivateKey(text); err == nil {
			if again, err := ParsePrivateKey(k.Text()); err != nil || !again.Same(k.Key) {
				t.Errorf("a private key does not read again: %v", err)
			}
		}
	})
}
