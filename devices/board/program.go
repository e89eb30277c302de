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
// Only pages that cannot differ from the file are given back: code, and constants where nothing was relocated.
func ReleaseProgram() (int, error) {
	path, err := os.Executable()
	if err != nil {
		return 0, fmt.Errorf("find the program's file: %w", err)
	}
	file, err := elf.Open(path)
	if err != nil {
		return 0, fmt.Errorf("read the program's file: %w", err)
	}
	fixed := file.Type == elf.ET_EXEC
	file.Close()
	maps, err := os.Open("/proc/self/maps")
	if err != nil {
		return 0, fmt.Errorf("read the program's mappings: %w", err)
	}
	defer maps.Close()
	var released int
	var faults []error
	lines := bufio.NewScanner(maps)
	for lines.Scan() {
		from, length, ok := programPages(lines.Text(), path, fixed)
		if !ok {
			continue
		}
		// The address comes from the kernel and lies outside the heap, so no collector moves what it points to.
		if err := unix.Madvise(unsafe.Slice((*byte)(*(*unsafe.Pointer)(unsafe.Pointer(&from))), length), unix.MADV_DONTNEED); err != nil {
			faults = append(faults, fmt.Errorf("give back %#x of the program: %w", from, err))
			continue
		}
		released += length
	}
	return released, errors.Join(append(faults, lines.Err())...)
}

// programPages reads a line of /proc/PID/maps and tells whether it shows pages of the file at path that hold what the
// file holds. fixed says that the file was linked to its addresses, so that its constants were not relocated either.
func programPages(line, path string, fixed bool) (from uintptr, length int, ok bool) {
	fields := strings.Fields(line)
	if len(fields) < 6 || fields[5] != path {
		return 0, 0, false
	}
	if fields[1] != "r-xp" && (!fixed || fields[1] != "r--p") {
		return 0, 0, false
	}
	first, last, found := strings.Cut(fields[0], "-")
	a, err := strconv.ParseUint(first, 16, strconv.IntSize)
	b, err2 := strconv.ParseUint(last, 16, strconv.IntSize)
	if !found || err != nil || err2 != nil || b <= a {
		return 0, 0, false
	}
	return uintptr(a), int(b - a), true
}
