package board

import (
	"os"
	"path/filepath"
	"testing"
)

// In the service's sandbox the word of systemd-timesyncd counts.
func TestTimesync(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "timesync")
	want := func(when string, synchronised, known bool) {
		t.Helper()
		if s, k := timesync(folder); s != synchronised || k != known {
			t.Errorf("%s: %v, %v", when, s, k)
		}
	}
	want("without timesyncd", false, false)
	if err := os.Mkdir(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	want("before a server answered", false, true)
	if err := os.WriteFile(filepath.Join(folder, "synchronized"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	want("after", true, true)
}

func TestClockThatCannotBeAskedIsBelieved(t *testing.T) {
	t.Parallel()
	if synchronised, known := clock(); ClockSet() != (synchronised || !known) {
		t.Errorf("the clock is %v, known %v", synchronised, known)
	}
}
