package board

import "testing"

func TestProgramPages(t *testing.T) {
	const path = "/usr/bin/aboyeur"
	for _, c := range []struct {
		name, line string
		fixed      bool
		from       uintptr
		length     int
	}{
		{"code", "00401000-00ea5000 r-xp 00001000 fe:00 1 /usr/bin/aboyeur", false, 0x401000, 0xaa4000},
		{"constants", "00ea5000-01bea000 r--p 00aa5000 fe:00 1 /usr/bin/aboyeur", true, 0xea5000, 0xd45000},
		{"constants that were relocated", "00ea5000-01bea000 r--p 00aa5000 fe:00 1 /usr/bin/aboyeur", false, 0, 0},
		{"variables", "01bea000-01d28000 rw-p 017ea000 fe:00 1 /usr/bin/aboyeur", true, 0, 0},
		{"another file", "7f0000000000-7f0000001000 r-xp 00000000 fe:00 2 /usr/lib/libusb-1.0.so.0", true, 0, 0},
		{"no file", "c000000000-c000400000 rw-p 00000000 00:00 0", true, 0, 0},
		{"a file that is gone", "00401000-00ea5000 r-xp 00001000 fe:00 1 /usr/bin/aboyeur (deleted)", true, 0x401000, 0xaa4000},
		{"backwards", "00ea5000-00401000 r-xp 00001000 fe:00 1 /usr/bin/aboyeur", true, 0, 0},
		{"no addresses", "zz r-xp 00001000 fe:00 1 /usr/bin/aboyeur", true, 0, 0},
		{"nothing", "", true, 0, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			from, length, ok := programPages(c.line, path, c.fixed)
			if from != c.from || length != c.length || ok != (c.length > 0) {
				t.Errorf("got %#x, %#x, %v; want %#x, %#x", from, length, ok, c.from, c.length)
			}
		})
	}
}

// TestReleaseProgram runs on in pages that were given back.
func TestReleaseProgram(t *testing.T) {
	n, err := ReleaseProgram()
	if err != nil {
		t.Fatal(err)
	}
	if n < 1<<20 {
		t.Errorf("%d bytes were given back, and the program's code alone is larger", n)
	}
}
