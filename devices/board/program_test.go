package board

import (
	"bufio"
	"debug/elf"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

func TestConstantSegments(t *testing.T) {
	load := func(offset, address, size uint64, flags elf.ProgFlag) *elf.Prog {
		return &elf.Prog{ProgHeader: elf.ProgHeader{Type: elf.PT_LOAD, Off: offset, Vaddr: address, Filesz: size, Memsz: size, Flags: flags}}
	}
	bss := load(0x8000, 0x408000, 0x1000, elf.PF_R)
	bss.Memsz = 0x3000
	for _, c := range []struct {
		name     string
		segments []*elf.Prog
		start    uintptr
		want     []pages
	}{
		{"linked to its addresses", []*elf.Prog{load(0, 0x400000, 0x5800, elf.PF_R|elf.PF_X), load(0x6000, 0x406000, 0x1000, elf.PF_R), load(0x7000, 0x407000, 0x1000, elf.PF_R|elf.PF_W)},
			0x400000, []pages{{0x400000, 0x5000}, {0x406000, 0x1000}}},
		{"moved", []*elf.Prog{load(0, 0, 0x800, elf.PF_R), load(0x1000, 0x1000, 0x2000, elf.PF_R|elf.PF_X), load(0x3000, 0x4000, 0x2000, elf.PF_R|elf.PF_W)},
			0x7f0000000000, []pages{{0x7f0000001000, 0x2000}}},
		{"begins within a page", []*elf.Prog{load(0, 0x400000, 0x800, elf.PF_R), load(0x810, 0x401810, 0x2000, elf.PF_R|elf.PF_X)},
			0x400000, []pages{{0x402000, 0x1000}}},
		{"longer in memory", []*elf.Prog{load(0, 0x400000, 0x800, elf.PF_R), bss}, 0x400000, nil},
		{"no segments", nil, 0x400000, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := constant(c.segments, c.start, 0x1000); !slices.Equal(got, c.want) {
				t.Errorf("got %#x, want %#x", got, c.want)
			}
		})
	}
}

func TestStartOfProgram(t *testing.T) {
	const path = "/usr/bin/aboyeur"
	for line, want := range map[string]uintptr{
		"00400000-00ea5000 r-xp 00000000 fe:00 1 /usr/bin/aboyeur":                         0x400000,
		"7f0000000000-7f0000001000 r--p 00000000 fe:00 1 /usr/bin/aboyeur (deleted)":       0x7f0000000000,
		"00ea5000-01bea000 r--p 00aa5000 fe:00 1 /usr/bin/aboyeur":                         0,
		"7f0000000000-7f0000001000 r-xp 00000000 fe:00 2 /usr/lib/aarch64/libusb-1.0.so.0": 0,
		"c000000000-c000400000 rw-p 00000000 00:00 0":                                      0,
		"zz-00ea5000 r-xp 00000000 fe:00 1 /usr/bin/aboyeur":                               0,
		"": 0,
	} {
		if got := startOf(line, path); got != want {
			t.Errorf("startOf(%q) = %#x, want %#x", line, got, want)
		}
	}
}

// TestReleaseProgram holds that no page is given back that differs from the file, and runs on in pages that were.
func TestReleaseProgram(t *testing.T) {
	ranges, err := programRanges()
	if err != nil {
		t.Fatal(err)
	}
	smaps, err := os.Open("/proc/self/smaps")
	if err != nil {
		t.Fatal(err)
	}
	defer smaps.Close()
	var mapping string
	concerned, looked := false, 0
	for lines := bufio.NewScanner(smaps); lines.Scan(); {
		var from, to uintptr
		if n, _ := fmt.Sscanf(lines.Text(), "%x-%x ", &from, &to); n == 2 {
			mapping = lines.Text()
			concerned = slices.ContainsFunc(ranges, func(r pages) bool { return r.from < to && from < r.from+uintptr(r.length) })
		} else if dirty, ok := strings.CutPrefix(lines.Text(), "Anonymous:"); ok && concerned {
			looked++
			if strings.TrimSpace(dirty) != "0 kB" {
				t.Errorf("%s of %s are not as in the file and would be lost", strings.TrimSpace(dirty), mapping)
			}
		}
	}
	if looked == 0 {
		t.Fatal("no mapping of the program was found")
	}
	if t.Failed() {
		return
	}
	n, err := ReleaseProgram()
	if err != nil {
		t.Fatal(err)
	}
	if n < 1<<20 {
		t.Errorf("%d bytes were given back, and the program's code alone is larger", n)
	}
}
