package box

import (
	"net/http"
	"path/filepath"
	"testing"
	"time"
)

// A copy is made while the box works. Restored, it prints what waited when it was made only under the banner: that paper
// may be out already.
func TestBackupAndRestore(t *testing.T) {
	r := newRig(t)
	r.start()
	first := orderOf(1)
	r.done(r.place(first).ID)
	both := func(act string) {
		t.Helper()
		for _, name := range []string{"grill", "bar"} {
			if status, err := r.call(http.MethodPost, "/v1/printers/"+name+"/"+act, nil, nil); err != nil || status != http.StatusOK {
				t.Fatalf("%s: %d %v", act, status, err)
			}
		}
	}
	both("pause")
	waiting := orderOf(2)
	id := r.place(waiting).ID
	copied := filepath.Join(t.TempDir(), "copy.db")
	if err := Backup(t.Context(), r.config, copied); err != nil {
		t.Fatal(err)
	}
	if _, err := Restore(t.Context(), r.config, copied, time.Now()); err == nil {
		t.Fatal("restored over a running box")
	}
	both("resume")
	r.done(id)
	third := r.place(orderOf(3)).ID
	r.done(third)
	pieces := map[string]int{}
	for _, name := range []string{"grill", "bar"} {
		plain, banner := r.papers(name, waiting.Partner.OrderID)
		pieces[name] = plain
		if banner != 0 {
			t.Errorf("%d pieces of %s under the banner before anything happened", banner, name)
		}
	}
	r.down()
	aside, err := Restore(t.Context(), r.config, copied, time.Now())
	if err != nil || aside == "" {
		t.Fatalf("Restore = %q, %v", aside, err)
	}
	r.start()
	both("resume") // they were paused when the copy was made
	r.done(id)
	for name, before := range pieces {
		plain, banner := r.papers(name, waiting.Partner.OrderID)
		if plain != before || banner != before {
			t.Errorf("%s: %d pieces without the banner and %d under it, want %d of each", name, plain, banner, before)
		}
		if plain, banner := r.papers(name, first.Partner.OrderID); banner != 0 || plain > 1 {
			t.Errorf("%s printed the finished order again: %d, %d", name, plain, banner)
		}
	}
	if status, err := r.call(http.MethodGet, "/v1/orders/"+third, nil, nil); err != nil || status != http.StatusNotFound {
		t.Errorf("the order after the copy: %d %v, want 404", status, err)
	}
	var log struct{ Entries []struct{ Act string } }
	if status, err := r.call(http.MethodGet, "/v1/audit", nil, &log); err != nil || status != http.StatusOK || len(log.Entries) == 0 {
		t.Fatalf("audit: %d %v", status, err)
	}
	restored := false
	for _, e := range log.Entries {
		restored = restored || e.Act == "journal_restored"
	}
	if !restored {
		t.Errorf("the audit log does not tell: %v", log.Entries)
	}
}
