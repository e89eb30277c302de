package screen_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"aboyeur/devices/screen"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// text is what Take gives, in one string.
func text(t testing.TB, r *screen.Reader) string {
	t.Helper()
	frames, err := r.Take(nil)
	if err != nil {
		return err.Error()
	}
	var b strings.Builder
	for _, f := range frames {
		b.Write(f)
	}
	return b.String()
}

func publish(h *screen.Hub, ids ...int64) {
	for _, id := range ids {
		h.Publish(id, fmt.Append(nil, id, " "))
	}
}

func TestResume(t *testing.T) {
	for _, c := range []struct {
		name   string
		from   int64
		events []int64
		id     int64
		want   string // what is taken at once; "no" when it must start anew
	}{
		{"nothing happened", 10, nil, 10, ""},
		{"stood before the hub's time", 10, nil, 9, "no"},
		{"missed all", 10, []int64{11, 12}, 10, "11 12 "},
		{"missed some", 10, []int64{11, 15, 20}, 15, "20 "},
		{"between two ids", 10, []int64{11, 15, 20}, 12, "15 20 "},
		{"missed nothing", 10, []int64{11, 15}, 15, ""},
		{"ring just full", 0, []int64{1, 2, 3, 4}, 0, "1 2 3 4 "},
		{"one was overwritten", 0, []int64{1, 2, 3, 4, 5}, 0, "no"},
		{"stands at the overwritten one", 0, []int64{1, 2, 3, 4, 5}, 1, "2 3 4 5 "},
		{"twice around", 0, []int64{1, 2, 3, 4, 5, 6, 7, 8, 9}, 6, "7 8 9 "},
		{"several events of one id", 0, []int64{1, 2, 2, 2}, 1, "2 2 2 "},
		{"fresh hub", 0, nil, 0, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := screen.New(4, c.from)
			publish(h, c.events...)
			r, ok := h.Resume(c.id)
			if !ok {
				if c.want != "no" {
					t.Errorf("Resume(%d) refused, want %q", c.id, c.want)
				}
				return
			}
			defer r.Close()
			woken := false
			select {
			case <-r.Wake():
				woken = true
			default:
			}
			got := text(t, r)
			if got != c.want {
				t.Errorf("Resume(%d) gives %q, want %q", c.id, got, c.want)
			}
			if woken != (got != "") {
				t.Errorf("woken %v with %q to take", woken, got)
			}
			publish(h, 100)
			if got := text(t, r); got != "100 " {
				t.Errorf("then %q, want the new event", got)
			}
		})
	}
}

func TestReaderThatNeverReadsIsTold(t *testing.T) {
	h := screen.New(4, 0)
	slow, quick := h.Join(), h.Join()
	for id := range int64(4) {
		publish(h, id+1)
		if got, want := text(t, quick), fmt.Sprint(id+1, " "); got != want {
			t.Fatalf("quick reader got %q, want %q", got, want)
		}
	}
	publish(h, 5)
	if _, err := slow.Take(nil); !errors.Is(err, screen.ErrLagged) {
		t.Errorf("Take = %v, want ErrLagged", err)
	}
	if n := h.Readers(); n != 2 {
		t.Errorf("%d readers, want 2", n)
	}
	slow.Close()
	slow.Close()
	quick.Close()
	if n := h.Readers(); n != 0 {
		t.Errorf("%d readers after all left", n)
	}
}

// Large frames push old ones out before the ring is full, so that the hub's memory is bounded (P6).
func TestBytesAreBounded(t *testing.T) {
	h := screen.New(0, 0)
	first := h.Join()
	defer first.Close()
	frame := make([]byte, screen.MaxBytes/4)
	for id := range int64(5) {
		h.Publish(id+1, frame)
	}
	if _, err := first.Take(nil); !errors.Is(err, screen.ErrLagged) {
		t.Errorf("Take = %v, want ErrLagged", err)
	}
	if _, ok := h.Resume(0); ok {
		t.Error("resumed at an event that was pushed out")
	}
	r, ok := h.Resume(1)
	if !ok {
		t.Fatal("not resumed behind the event that was pushed out")
	}
	defer r.Close()
	if got, err := r.Take(nil); err != nil || len(got) != 4 {
		t.Errorf("Take = %d frames, %v, want 4", len(got), err)
	}
	h.Publish(6, make([]byte, 2*screen.MaxBytes))
	if got, err := r.Take(nil); err != nil || len(got) != 1 {
		t.Errorf("Take = %d frames, %v, want the one that is larger than all the room", len(got), err)
	}
	h.Publish(7, nil)
	if got, err := r.Take(nil); err != nil || len(got) != 1 {
		t.Errorf("Take = %d frames, %v, want the small one", len(got), err)
	}
}

func TestNext(t *testing.T) {
	h := screen.New(0, 0)
	r := h.Join()
	defer r.Close()
	ctx, stop := context.WithCancel(t.Context())
	got := make(chan string)
	go func() {
		defer close(got)
		for {
			frames, err := r.Next(ctx, nil)
			if err != nil {
				return
			}
			for _, f := range frames {
				got <- string(f)
			}
		}
	}()
	for id := range int64(100) {
		publish(h, id)
		if s, want := <-got, fmt.Sprint(id, " "); s != want {
			t.Fatalf("got %q, want %q", s, want)
		}
	}
	stop()
	if s, more := <-got; more {
		t.Errorf("got %q after the end", s)
	}
}

// Whatever is published and however often a reader breaks off and resumes where it stands, it sees each event once, in
// order, or is told to start anew.
func TestNoEventLostOrDoubled(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		kept := rapid.IntRange(1, 6).Draw(t, "kept")
		from := rapid.Int64Range(0, 3).Draw(t, "from")
		h := screen.New(kept, from)
		var all []int64 // published
		last, id := from, from
		r := h.Join()
		expect := func(seen []int64) {
			at := len(all)
			for at > 0 && all[at-1] > last {
				at--
			}
			if !slices.Equal(seen, all[at:]) {
				t.Fatalf("reader at %d took %v of %v", last, seen, all)
			}
			if len(seen) > 0 {
				last = seen[len(seen)-1]
			}
		}
		pending := 0
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			switch rapid.IntRange(0, 3).Draw(t, "step") {
			case 0, 1:
				id += rapid.Int64Range(1, 3).Draw(t, "gap")
				h.Publish(id, fmt.Append(nil, id))
				all = append(all, id)
				pending++
			case 2:
				frames, err := r.Take(nil)
				if (err != nil) != (pending > kept) {
					t.Fatalf("Take = %v with %d to take and %d kept", err, pending, kept)
				}
				if err != nil {
					r.Close()
					r, last, pending = h.Join(), id, 0
					break
				}
				var seen []int64
				for _, f := range frames {
					var n int64
					fmt.Sscan(string(f), &n)
					seen = append(seen, n)
				}
				expect(seen)
				pending = 0
			case 3:
				r.Close()
				again, ok := h.Resume(last)
				if ok != (pending <= kept) {
					t.Fatalf("Resume(%d) = %v with %d missed and %d kept", last, ok, pending, kept)
				}
				if !ok {
					again, last, pending = h.Join(), id, 0
				}
				r = again
			}
		}
		r.Close()
	})
}

func TestManyAtOnce(t *testing.T) {
	const events, readers = 2000, 8
	h := screen.New(events, 0)
	var all sync.WaitGroup
	for range readers {
		r := h.Join()
		all.Go(func() {
			defer r.Close()
			n := 0
			for n < events {
				frames, err := r.Next(t.Context(), nil)
				if err != nil {
					t.Error(err)
					return
				}
				for _, f := range frames {
					n++
					if want := fmt.Sprint(n, " "); string(f) != want {
						t.Errorf("got %q, want %q", f, want)
						return
					}
				}
			}
		})
	}
	for n := range int64(events) {
		publish(h, n+1)
	}
	all.Wait()
}

func BenchmarkPublish(b *testing.B) {
	h := screen.New(0, 0)
	for range 16 {
		defer h.Join().Close()
	}
	frame := make([]byte, 1500)
	b.ReportAllocs()
	id := int64(0)
	for b.Loop() {
		id++
		h.Publish(id, frame)
	}
}
