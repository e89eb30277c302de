package xmlpos

import (
	"bytes"
	"errors"
	"testing"

	"aboyeur/protocol/ifc"

	"github.com/google/go-cmp/cmp"
)

// Whatever comes is refused with one of three errors or becomes an element; what it becomes is sent as a frame of its own
// and decodes to itself; and the masked form never panics and stays an element.
func FuzzDecode(f *testing.F) {
	for _, s := range samples {
		f.Add([]byte(s.wire), false)
	}
	f.Fuzz(func(t *testing.T, b []byte, windows bool) {
		d := Dialect{}
		if windows {
			d.Charset = Windows1252
		}
		masked := AppendMasked(nil, b)
		e, err := d.Decode(b)
		if e == nil {
			if !errors.Is(err, ErrSyntax) && !errors.Is(err, ErrUnknown) && !errors.Is(err, ErrTooLarge) {
				t.Fatalf("Decode = %v", err)
			}
			return
		}
		var field *FieldError
		if err != nil && !errors.As(err, &field) {
			t.Fatalf("Decode = %v with an element", err)
		}
		if _, err := d.Decode(masked); err != nil && !errors.As(err, &field) && !errors.Is(err, ErrTooLarge) {
			t.Fatalf("masked %q: %v", masked, err)
		}
		wire := d.AppendAsIs(nil, e)
		frame := ifc.AppendFrame(nil, wire)
		if bytes.IndexByte(frame[1:], ifc.STX) >= 0 || bytes.IndexByte(frame, ifc.ETX) != len(frame)-1 {
			t.Fatalf("bytes of the line in %q", wire)
		}
		if len(wire) > MaxElement { // escapes made it longer
			return
		}
		again, err := d.Decode(wire)
		if err != nil {
			t.Fatalf("Decode(%q): %v", wire, err)
		}
		// A list that was cut is whole when it is sent on.
		for _, e := range []Element{e, again} {
			if l, ok := e.(*PostList); ok {
				l.Truncated = false
			}
		}
		if diff := cmp.Diff(e, again); diff != "" {
			t.Fatalf("%q\n%s", wire, diff)
		}
	})
}
