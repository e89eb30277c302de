package refusal

import (
	"testing"
	"time"
)

// Of messages that nobody proved to have sent one in a second is written down, also after the clock was set back.
func TestUnproved(t *testing.T) {
	var u Unproved
	at := time.Unix(1_800_000_000, 0)
	for _, step := range []struct {
		after time.Duration
		often bool
	}{{0, false}, {0, true}, {999 * time.Millisecond, true}, {time.Millisecond, false}, {time.Millisecond, true}, {-time.Hour, false}, {-time.Millisecond, true}} {
		at = at.Add(step.after)
		if got := u.Often(at); got != step.often {
			t.Errorf("%s after the one before: often is %v, want %v", step.after, got, step.often)
		}
	}
}
