package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A cage is a control group of its own in which a process has a part of a core and a bound on its memory, under either version
// of the kernel's control groups, also when one controller is bound to the first and the other to the second.
type cage struct {
	dirs []string // groups that a process must join
	cpu  string   // the one of them that holds the processor quota
	v2   bool     // cpu is under version 2
}

// limits of a cage.
type limits struct {
	Quota, Period time.Duration // processor time per period, over all cores
	Memory        int64         // bytes
}

// piLimits approximates a board: a quarter of one core of this machine, in slices short enough that a request does not
// wait for a whole default period of 100 ms, and the memory that a small board leaves for one program.
var piLimits = limits{Quota: time.Millisecond, Period: 4 * time.Millisecond, Memory: 256 << 20}

// errNoCage says why the machine cannot hold a process back.
var errNoCage = errors.New("no writable control group")

// A hierarchy is one mounted tree of control groups.
type hierarchy struct {
	mount       string
	v2          bool
	controllers []string
}

// hierarchies reads the mounted trees from the text of /proc/self/mountinfo.
func hierarchies(mountinfo io.Reader) ([]hierarchy, error) {
	var all []hierarchy
	lines := bufio.NewScanner(mountinfo)
	for lines.Scan() {
		// 32 31 0:29 / /sys/fs/cgroup/cpu rw,relatime shared:9 - cgroup cgroup rw,cpu
		left, right, ok := strings.Cut(lines.Text(), " - ")
		l, r := strings.Fields(left), strings.Fields(right)
		if !ok || len(l) < 5 || len(r) < 3 {
			continue
		}
		switch r[0] {
		case "cgroup":
			all = append(all, hierarchy{mount: l[4], controllers: strings.Split(r[2], ",")})
		case "cgroup2":
			b, err := os.ReadFile(filepath.Join(l[4], "cgroup.controllers"))
			if err != nil && !errors.Is(err, os.ErrNotExist) {
				return nil, err
			}
			all = append(all, hierarchy{mount: l[4], v2: true, controllers: strings.Fields(string(b))})
		}
	}
	return all, lines.Err()
}

// ownGroups reads from the text of /proc/self/cgroup in which group of each controller this process is; "" is version 2's.
func ownGroups(r io.Reader) map[string]string {
	own := map[string]string{}
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		// 4:memory:/some/group
		f := strings.SplitN(lines.Text(), ":", 3)
		if len(f) != 3 {
			continue
		}
		for c := range strings.SplitSeq(f[1], ",") {
			own[c] = f[2]
		}
	}
	return own
}

// newCage makes the groups. The caller removes them when their processes have ended.
func newCage(name string, l limits) (*cage, error) {
	f, err := os.Open("/proc/self/mountinfo")
	if err != nil {
		return nil, err
	}
	defer f.Close()
	trees, err := hierarchies(f)
	if err != nil {
		return nil, err
	}
	b, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return nil, err
	}
	return makeCage(name, l, trees, ownGroups(strings.NewReader(string(b))))
}

func makeCage(name string, l limits, trees []hierarchy, own map[string]string) (*cage, error) {
	c := &cage{}
	for _, controller := range []string{"cpu", "memory"} {
		i := slices.IndexFunc(trees, func(h hierarchy) bool { return slices.Contains(h.controllers, controller) })
		if i < 0 {
			c.remove()
			return nil, fmt.Errorf("%w: the %s controller is mounted neither by version 1 nor by version 2; mount it, or run without -profile pi", errNoCage, controller)
		}
		h := trees[i]
		group := own[controller]
		if h.v2 {
			group = own[""]
		}
		// Version 2 lets only leaves hold processes, so a group inside our own cannot have controllers unless ours is the root.
		parents := []string{filepath.Join(h.mount, group), h.mount}
		if h.v2 {
			slices.Reverse(parents)
		}
		dir, err := c.group(parents, name, controller, h.v2, l)
		if err != nil {
			c.remove()
			return nil, fmt.Errorf("%w for %s: %v; run as root on a machine whose control groups may be written, or without -profile pi", errNoCage, controller, err)
		}
		if controller == "cpu" {
			c.cpu, c.v2 = dir, h.v2
		}
	}
	return c, nil
}

// group makes the group under the first parent that allows it, and sets the controller's limits.
func (c *cage) group(parents []string, name, controller string, v2 bool, l limits) (string, error) {
	var faults []error
	for _, parent := range slices.Compact(parents) {
		dir := filepath.Join(parent, name)
		if v2 {
			if err := write(parent, "cgroup.subtree_control", "+"+controller); err != nil {
				faults = append(faults, err)
				continue
			}
		}
		if err := os.Mkdir(dir, 0o755); err != nil && !errors.Is(err, os.ErrExist) {
			faults = append(faults, err)
			continue
		}
		if !slices.Contains(c.dirs, dir) {
			c.dirs = append(c.dirs, dir)
		}
		if err := limit(dir, controller, v2, l); err != nil {
			faults = append(faults, err)
			continue
		}
		return dir, nil
	}
	return "", errors.Join(faults...)
}

func limit(dir, controller string, v2 bool, l limits) error {
	quota, period := strconv.FormatInt(l.Quota.Microseconds(), 10), strconv.FormatInt(l.Period.Microseconds(), 10)
	memory := strconv.FormatInt(l.Memory, 10)
	switch {
	case controller == "cpu" && v2:
		return write(dir, "cpu.max", quota+" "+period)
	case controller == "cpu":
		// The period first: a quota is refused that is longer than the period it finds.
		if err := write(dir, "cpu.cfs_period_us", period); err != nil {
			return err
		}
		return write(dir, "cpu.cfs_quota_us", quota)
	case v2:
		return write(dir, "memory.max", memory)
	default:
		return write(dir, "memory.limit_in_bytes", memory)
	}
}

func write(dir, file, value string) error {
	return os.WriteFile(filepath.Join(dir, file), []byte(value), 0o644)
}

// throttled is how many periods the quota has cut short, of how many.
func (c *cage) throttled() (cut, periods int64) {
	b, err := os.ReadFile(filepath.Join(c.cpu, "cpu.stat"))
	if err != nil {
		return 0, 0 // a figure beside the point: its absence shows as zero periods
	}
	for l := range strings.Lines(string(b)) {
		name, value, _ := strings.Cut(strings.TrimSpace(l), " ")
		n, _ := strconv.ParseInt(value, 10, 64)
		switch name {
		case "nr_periods":
			periods = n
		case "nr_throttled":
			cut = n
		}
	}
	return cut, periods
}

// remove takes the groups away; they must be empty of processes.
func (c *cage) remove() error {
	var faults []error
	for _, d := range c.dirs {
		if err := os.Remove(d); err != nil && !errors.Is(err, os.ErrNotExist) {
			faults = append(faults, err)
		}
	}
	return errors.Join(faults...)
}
