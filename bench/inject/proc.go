package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// tick is the kernel's unit of processor time in /proc; 100 a second on every Linux that Go runs on.
const tick = 10 * time.Millisecond

// A memory is what a process holds, in bytes.
type memory struct {
	Resident     int64 `json:"resident"`     // VmRSS
	Proportional int64 `json:"proportional"` // Pss: shared pages divided by those who share them
	Peak         int64 `json:"peak"`         // VmHWM
}

// memoryOf reads the figures of a process from a /proc tree.
func memoryOf(proc string, pid int) (memory, error) {
	dir := filepath.Join(proc, strconv.Itoa(pid))
	var m memory
	b, err := os.ReadFile(filepath.Join(dir, "status"))
	if err != nil {
		return m, err
	}
	m.Resident, m.Peak = kib(b, "VmRSS:"), kib(b, "VmHWM:")
	if b, err := os.ReadFile(filepath.Join(dir, "smaps_rollup")); err == nil {
		m.Proportional = kib(b, "Pss:")
	}
	return m, nil
}

// resident is VmRSS alone, which is cheap enough to be asked for while something is measured.
func resident(proc string, pid int) int64 {
	b, err := os.ReadFile(filepath.Join(proc, strconv.Itoa(pid), "statm"))
	if err != nil {
		return 0
	}
	f := strings.Fields(string(b))
	if len(f) < 2 {
		return 0
	}
	n, _ := strconv.ParseInt(f[1], 10, 64)
	return n * int64(os.Getpagesize())
}

// forgetPeak makes VmHWM start again from what is held now.
func forgetPeak(pid int) error {
	return os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", pid), []byte("5"), 0)
}

func kib(text []byte, name string) int64 {
	for l := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(l, name); ok {
			n, _ := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
			return n << 10
		}
	}
	return 0
}

// processorOf is the processor time, user and system, that a process has used.
func processorOf(proc string, pid int) (time.Duration, error) {
	b, err := os.ReadFile(filepath.Join(proc, strconv.Itoa(pid), "stat"))
	if err != nil {
		return 0, err
	}
	// The second field is a name in brackets that may hold anything; the fields after it are plain.
	_, rest, ok := strings.Cut(string(b), ") ")
	f := strings.Fields(rest)
	if !ok || len(f) < 13 {
		return 0, fmt.Errorf("/proc/%d/stat: %q is not as proc(5) has it", pid, b)
	}
	user, err1 := strconv.ParseInt(f[11], 10, 64)
	system, err2 := strconv.ParseInt(f[12], 10, 64)
	if err1 != nil || err2 != nil {
		return 0, fmt.Errorf("/proc/%d/stat: times %q %q are not numbers", pid, f[11], f[12])
	}
	return time.Duration(user+system) * tick, nil
}

// writtenBy is how many bytes a process has caused to be written to disks: what wears a card.
func writtenBy(proc string, pid int) int64 {
	b, err := os.ReadFile(filepath.Join(proc, strconv.Itoa(pid), "io"))
	if err != nil {
		return 0
	}
	for l := range strings.Lines(string(b)) {
		if rest, ok := strings.CutPrefix(l, "write_bytes:"); ok {
			n, _ := strconv.ParseInt(strings.TrimSpace(rest), 10, 64)
			return n
		}
	}
	return 0
}

// A machine is what the whole machine did between two looks.
type machine struct{ total, idle, steal int64 }

func machineNow(proc string) machine {
	b, err := os.ReadFile(filepath.Join(proc, "stat"))
	if err != nil {
		return machine{}
	}
	first, _, _ := strings.Cut(string(b), "\n")
	var m machine
	for i, f := range strings.Fields(first) {
		if i == 0 || i > 8 { // the name; guest times are part of user already
			continue
		}
		n, _ := strconv.ParseInt(f, 10, 64)
		m.total += n
		switch i {
		case 4, 5: // idle, waiting for a disk
			m.idle += n
		case 8:
			m.steal += n
		}
	}
	return m
}

// since gives the shares of the time since then, in percent.
func (m machine) since(then machine) (busy, steal float64) {
	total := float64(m.total - then.total)
	if total <= 0 {
		return 0, 0
	}
	return 100 * (total - float64(m.idle-then.idle)) / total, 100 * float64(m.steal-then.steal) / total
}

func loadAverage(proc string) string {
	b, err := os.ReadFile(filepath.Join(proc, "loadavg"))
	if err != nil {
		return ""
	}
	f := strings.Fields(string(b))
	return strings.Join(f[:min(3, len(f))], " ")
}
