package ifc

import (
	"testing"
	"time"
)

func TestBackoff(t *testing.T) {
	for _, c := range []struct {
		b    Backoff
		want []time.Duration // the longest of each pause
	}{
		{Backoff{}, []time.Duration{2e9, 4e9, 8e9, 16e9, 32e9, 60e9, 60e9}},
		{Backoff{Min: 5 * time.Second, Max: 7 * time.Second}, []time.Duration{5e9, 7e9, 7e9}},
		{Backoff{Min: time.Hour, Max: time.Second}, []time.Duration{time.Hour, time.Hour}},
		{Backoff{Max: 1 << 62}, []time.Duration{2e9, 4e9}},
	} {
		for range 2 {
			for i, top := range c.want {
				if got := c.b.Next(); got < top/2 || got > top {
					t.Errorf("pause %d = %v, want %v to %v", i+1, got, top/2, top)
				}
			}
			c.b.Reset()
		}
	}
	b := Backoff{Max: 1 << 62}
	for range 200 {
		if d := b.Next(); d <= 0 {
			t.Fatalf("pause %v", d)
		}
	}
}
