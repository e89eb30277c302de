package main

import (
	"reflect"
	"testing"
)

func readEvents(pieces ...[]byte) []event {
	var e events
	var all []event
	for _, p := range pieces {
		e.write(p, func(x event) {
			x.Data = append([]byte(nil), x.Data...)
			all = append(all, x)
		})
	}
	return all
}

func TestEvents(t *testing.T) {
	for _, c := range []struct {
		name, in string
		want     []event
	}{
		{"plain", "id: 7\nevent: ticket\ndata: {\"a\":1}\n\n", []event{{"7", "ticket", []byte(`{"a":1}`)}}},
		{"two", "event: a\ndata: 1\n\nevent: b\ndata: 2\n\n", []event{{"", "a", []byte("1")}, {"", "b", []byte("2")}}},
		{"no space after the colon", "event:a\ndata:1\n\n", []event{{"", "a", []byte("1")}}},
		{"lines of data", "data: 1\ndata: 2\n\n", []event{{"", "", []byte("1\n2")}}},
		{"carriage returns", "event: a\r\ndata: 1\r\n\r\ndata: 2\r\r", []event{{"", "a", []byte("1")}, {"", "", []byte("2")}}},
		{"comment and unknown field", ": hello\nretry: 5\ndata: 1\n\n", []event{{"", "", []byte("1")}}},
		{"the id stays", "id: 1\ndata: a\n\ndata: b\n\n", []event{{"1", "", []byte("a")}, {"1", "", []byte("b")}}},
		{"nothing to tell", "event: a\n\n\n", nil},
		{"unfinished", "data: 1\n", nil},
	} {
		for cut := 0; cut <= len(c.in); cut++ {
			got := readEvents([]byte(c.in[:cut]), []byte(c.in[cut:]))
			if !reflect.DeepEqual(got, c.want) {
				t.Errorf("%s, cut at %d: %q, want %q", c.name, cut, got, c.want)
			}
		}
	}
}

func FuzzEvents(f *testing.F) {
	f.Add([]byte("id: 7\nevent: ticket\ndata: {}\n\n"), uint8(3), uint8(9))
	f.Add([]byte("data: 1\r\ndata: 2\r\n\r\n: c\rdata:3\r\r"), uint8(8), uint8(9))
	f.Fuzz(func(t *testing.T, in []byte, a, b uint8) {
		i, j := min(int(a), len(in)), min(int(b), len(in))
		if i > j {
			i, j = j, i
		}
		whole, cut := readEvents(in), readEvents(in[:i], in[i:j], in[j:])
		if !reflect.DeepEqual(whole, cut) {
			t.Errorf("%q whole gives %q, cut at %d and %d %q", in, whole, i, j, cut)
		}
	})
}
