package board

import (
	"bufio"
	"debug/elf"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"
)

// ReleaseProgram gives back the pages of the program's own file that only its start needed, and tells how many bytes of
// address space that concerned. The kernel maps sixteen pages around each that is touched, so that a start leaves
// nearly the whole file resident, which a board of 512 MB has better uses for. What runs on comes back from the page
// cache by itself, at a microsecond a fault.
//
// Only segments that the file loads without the right to be written are given back: code and constants, never what a
// dynamic linker filled in and then locked.
func ReleaseProgram() (int, error) {
	ranges, err := programRanges()
	if err != nil {
		return 0, err
	}
	var released int
	var faults []error
	for _, r := range ranges {
		// The address is the kernel's and lies outside the heap, so no collector moves what it points to.
		if err := unix.Madvise(unsafe.Slice((*byte)(*(*unsafe.Pointer)(unsafe.Pointer(&r.from))), r.length), unix.MADV_DONTNEED); err != nil {
			faults = append(faults, fmt.Errorf("give back %#x of the program: %w", r.from, err))
			continue
		}
		released += r.length
	}
	return released, errors.Join(faults...)
}

// pages is a stretch of memory, in bytes.
type pages struct {
	from   uintptr
	length int
}

// programRanges are the stretches of memory that hold what the program's file holds.
func programRanges() ([]pages, error) {
	path, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find the program's file: %w", err)
	}
	file, err := elf.Open("/proc/self/exe") // what runs, also when another file has taken its name since
	if err != nil {
		return nil, fmt.Errorf("read the program's file: %w", err)
	}
	defer file.Close()
	maps, err := os.Open("/proc/self/maps")
	if err != nil {
		return nil, fmt.Errorf("read the program's mappings: %w", err)
	}
	defer maps.Close()
	var start uintptr // where the file's first byte lies
	lines := bufio.NewScanner(maps)
	for lines.Scan() && start == 0 {
		start = startOf(lines.Text(), path)
	}
	if err := lines.Err(); err != nil || start == 0 {
		return nil, fmt.Errorf("find the program in its mappings: %w", errors.Join(err, os.ErrNotExist))
	}
	return constant(file.Progs, start, uintptr(os.Getpagesize())), nil
}

// startOf reads a line of /proc/PID/maps and gives where the first byte of the file at path lies, 0 when the line does
// not tell.
func startOf(line, path string) uintptr {
	fields := strings.Fields(line)
	if len(fields) < 6 || fields[5] != path || strings.Trim(fields[2], "0") != "" {
		return 0
	}
	first, _, _ := strings.Cut(fields[0], "-")
	a, err := strconv.ParseUint(first, 16, strconv.IntSize)
	if err != nil {
		return 0
	}
	return uintptr(a)
}

// constant are the whole pages of the segments that are loaded without the right to be written, of a file whose first
// byte lies at start.
func constant(segments []*elf.Prog, start, page uintptr) []pages {
	var moved uintptr // by how much memory differs from the addresses in the file
	for _, s := range segments {
		if s.Type == elf.PT_LOAD && s.Off == 0 {
			moved = start - uintptr(s.Vaddr)
		}
	}
	var ranges []pages
	for _, s := range segments {
		if s.Type != elf.PT_LOAD || s.Flags&elf.PF_W != 0 || s.Filesz != s.Memsz {
			continue
		}
		from := (moved + uintptr(s.Vaddr) + page - 1) &^ (page - 1)
		to := (moved + uintptr(s.Vaddr) + uintptr(s.Memsz)) &^ (page - 1)
		if to > from {
			ranges = append(ranges, pages{from, int(to - from)})
		}
	}
	return ranges
}
