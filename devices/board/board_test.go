package board_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"aboyeur/devices/board"
)

func write(t *testing.T, root, name, text string) {
	t.Helper()
	path := filepath.Join(root, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

const throttled = "devices/platform/soc/soc:firmware/get_throttled"

func TestReadARaspberryPi(t *testing.T) {
	proc, sys := t.TempDir(), t.TempDir()
	write(t, proc, "meminfo", "MemTotal:        1000000 kB\nMemFree:          100000 kB\nMemAvailable:     500000 kB\nBuffers:               0 kB\nCached:                0 kB\n")
	write(t, proc, "loadavg", "0.50 0.40 0.30 1/200 4242\n")
	write(t, proc, "uptime", "3600.00 7000.00\n")
	write(t, sys, "class/thermal/thermal_zone0/type", "cpu-thermal\n")
	write(t, sys, "class/thermal/thermal_zone0/temp", "61875\n")
	write(t, sys, throttled, "50005\n")
	f, err := board.Board{Dir: t.TempDir(), Proc: proc, Sys: sys}.Read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if f.MemoryTotal != 1000000<<10 || f.MemoryAvailable != 500000<<10 {
		t.Errorf("memory %d of %d", f.MemoryAvailable, f.MemoryTotal)
	}
	if !f.TemperatureKnown || f.Temperature < 61 || f.Temperature > 62 {
		t.Errorf("temperature %v, %v", f.Temperature, f.TemperatureKnown)
	}
	if !f.ThrottledKnown || f.Throttled != 0x50005 || !f.Throttled.Now() || !f.Throttled.UnderVoltage() {
		t.Errorf("throttled %x, %v", f.Throttled, f.ThrottledKnown)
	}
	if f.Load != .5 || f.DiskTotal == 0 || f.DiskFree > f.DiskTotal || f.Uptime < 0 {
		t.Errorf("%+v", f)
	}
}

func TestThrottling(t *testing.T) {
	for _, c := range []struct {
		word             board.Throttling
		now, underVolted bool
	}{{0, false, false}, {0x50000, false, false}, {1, true, true}, {2, true, false}, {4, true, false}, {8, true, false}, {0xd, true, true}} {
		if c.word.Now() != c.now || c.word.UnderVoltage() != c.underVolted {
			t.Errorf("%x: now %v, under voltage %v", c.word, c.word.Now(), c.word.UnderVoltage())
		}
	}
}

func TestWithoutSensors(t *testing.T) {
	sys := t.TempDir()
	for _, word := range []string{"", "nonsense", "ffffffffff"} {
		if word != "" {
			write(t, sys, throttled, word)
		}
		f, err := board.Board{Dir: t.TempDir(), Sys: sys}.Read(t.Context())
		if f.TemperatureKnown || f.ThrottledKnown {
			t.Errorf("%+v, want nothing known", f)
		}
		if (err != nil) != (word != "") {
			t.Errorf("word %q: %v", word, err)
		}
	}
}

func TestWhatCannotBeReadIsToldAndTheRestIsThere(t *testing.T) {
	f, err := board.Board{Dir: filepath.Join(t.TempDir(), "no such folder")}.Read(t.Context())
	if err == nil || f.MemoryTotal == 0 || f.DiskTotal != 0 {
		t.Errorf("%+v, %v", f, err)
	}
	if f.Uptime < 0 || f.Uptime > 100*365*24*time.Hour {
		t.Errorf("uptime %v", f.Uptime)
	}
}
