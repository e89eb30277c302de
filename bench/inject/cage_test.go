package main

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

const mountinfo = `24 1 254:0 / / rw,relatime - ext4 /dev/vda rw
31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755
32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime shared:9 - cgroup cgroup rw,cpu,cpuacct
35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory
41 31 0:38 / ROOT/unified rw,relatime - cgroup2 cgroup2 rw
broken line
`

func TestHierarchies(t *testing.T) {
	root := t.TempDir()
	v2 := filepath.Join(root, "unified")
	if err := os.Mkdir(v2, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(v2, "cgroup.controllers"), []byte("hugetlb pids\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	got, err := hierarchies(strings.NewReader(strings.ReplaceAll(mountinfo, "ROOT", root)))
	want := []hierarchy{
		{"/sys/fs/cgroup/cpu,cpuacct", false, []string{"rw", "cpu", "cpuacct"}},
		{"/sys/fs/cgroup/memory", false, []string{"rw", "memory"}},
		{v2, true, []string{"hugetlb", "pids"}},
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("hierarchies = %v, %v, want %v", got, err, want)
	}
	own := ownGroups(strings.NewReader("4:memory:/a/b\n1:cpu,cpuacct:/\n0::/user.slice\n"))
	if own["memory"] != "/a/b" || own["cpu"] != "/" || own["cpuacct"] != "/" || own[""] != "/user.slice" {
		t.Errorf("ownGroups = %v", own)
	}
}

func dirs(t *testing.T, names ...string) string {
	t.Helper()
	root := t.TempDir()
	for _, n := range names {
		if err := os.MkdirAll(filepath.Join(root, n), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func wantFile(t *testing.T, want string, path ...string) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(path...))
	if err != nil || string(b) != want {
		t.Errorf("%s = %q, %v, want %q", filepath.Join(path...), b, err, want)
	}
}

func TestCage(t *testing.T) {
	l := limits{Quota: time.Millisecond, Period: 4 * time.Millisecond, Memory: 256 << 20}
	t.Run("version 1", func(t *testing.T) {
		root := dirs(t, "cpu", "memory/own")
		c, err := makeCage("x", l, []hierarchy{{filepath.Join(root, "cpu"), false, []string{"rw", "cpu"}}, {filepath.Join(root, "memory"), false, []string{"rw", "memory"}}},
			map[string]string{"cpu": "/", "memory": "/own"})
		if err != nil {
			t.Fatal(err)
		}
		wantFile(t, "4000", root, "cpu/x/cpu.cfs_period_us")
		wantFile(t, "1000", root, "cpu/x/cpu.cfs_quota_us")
		wantFile(t, "268435456", root, "memory/own/x/memory.limit_in_bytes")
		if want := []string{filepath.Join(root, "cpu/x"), filepath.Join(root, "memory/own/x")}; !reflect.DeepEqual(c.dirs, want) || c.v2 {
			t.Errorf("groups = %v, v2 %v, want %v", c.dirs, c.v2, want)
		}
		if err := os.WriteFile(filepath.Join(c.cpu, "cpu.stat"), []byte("nr_periods 40\nnr_throttled 10\nthrottled_time 5\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		if cut, of := c.throttled(); cut != 10 || of != 40 {
			t.Errorf("throttled = %d of %d, want 10 of 40", cut, of)
		}
	})
	t.Run("version 2", func(t *testing.T) {
		root := dirs(t, "own")
		c, err := makeCage("x", l, []hierarchy{{root, true, []string{"cpu", "memory"}}}, map[string]string{"": "/own"})
		if err != nil {
			t.Fatal(err)
		}
		wantFile(t, "1000 4000", root, "x/cpu.max")
		wantFile(t, "268435456", root, "x/memory.max")
		if len(c.dirs) != 1 || !c.v2 {
			t.Errorf("groups = %v, v2 %v, want one group of version 2", c.dirs, c.v2)
		}
	})
	t.Run("one controller each", func(t *testing.T) {
		root := dirs(t, "cpu", "unified")
		_, err := makeCage("x", l, []hierarchy{{filepath.Join(root, "cpu"), false, []string{"cpu"}}, {filepath.Join(root, "unified"), true, []string{"memory"}}}, map[string]string{"cpu": "/", "": "/"})
		if err != nil {
			t.Fatal(err)
		}
		wantFile(t, "+memory", root, "unified/cgroup.subtree_control")
		wantFile(t, "268435456", root, "unified/x/memory.max")
		wantFile(t, "1000", root, "cpu/x/cpu.cfs_quota_us")
	})
	t.Run("a container whose own group is not to be seen", func(t *testing.T) {
		root := dirs(t, "cpu", "memory")
		_, err := makeCage("x", l, []hierarchy{{filepath.Join(root, "cpu"), false, []string{"cpu"}}, {filepath.Join(root, "memory"), false, []string{"memory"}}},
			map[string]string{"cpu": "/", "memory": "/docker/1234"})
		if err != nil {
			t.Fatal(err)
		}
		wantFile(t, "268435456", root, "memory/x/memory.limit_in_bytes")
	})
	t.Run("none", func(t *testing.T) {
		root := dirs(t, "memory")
		_, err := makeCage("x", l, []hierarchy{{filepath.Join(root, "memory"), false, []string{"memory"}}}, nil)
		if !errors.Is(err, errNoCage) || !strings.Contains(err.Error(), "cpu controller is mounted neither") {
			t.Errorf("makeCage = %v, want that cpu is not mounted", err)
		}
	})
	t.Run("not writable", func(t *testing.T) {
		root := dirs(t, "cpu")
		_, err := makeCage("x", l, []hierarchy{{filepath.Join(root, "cpu", "missing"), false, []string{"cpu", "memory"}}}, nil)
		if !errors.Is(err, errNoCage) || !strings.Contains(err.Error(), "-profile pi") {
			t.Errorf("makeCage = %v, want an error with the remedy", err)
		}
	})
}

// TestCageHoldsAProcess uses the machine's own control groups, where they may be written.
func TestCageHoldsAProcess(t *testing.T) {
	c, err := newCage("aboyeur-bench-test", piLimits)
	if errors.Is(err, errNoCage) || errors.Is(err, os.ErrPermission) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := c.remove(); err != nil {
			t.Error(err)
		}
	}()
	dir := t.TempDir()
	first := newFirstLine()
	p, err := start(launch{name: "cat", argv: []string{"/bin/cat", "/proc/self/cgroup", "-"}, out: first, log: filepath.Join(dir, "log"), cage: c})
	if err != nil {
		t.Fatal(err)
	}
	<-p.done
	b, err := os.ReadFile("/proc/self/cgroup")
	if err != nil || strings.Contains(string(b), "aboyeur-bench-test") {
		t.Errorf("the test itself is in the cage: %s", b)
	}
	if line, err := first.wait(t.Context(), p); err != nil || p.started == 0 {
		t.Errorf("the caged process said %q, %v, started at %v", line, err, p.started)
	}
}
