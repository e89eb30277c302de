//go:build emulate

// Package powercut_test cuts the power of a whole box while it takes orders and bundles, on a disk that loses what was not
// flushed; see cut.sh.
package powercut_test

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"aboyeur/simulate/cutdisk"
)

var (
	kernel     = flag.String("kernel", "", "Linux")
	initrd     = flag.String("initrd", "", "the guest, as cut.sh makes it")
	data       = flag.String("disk", "", "its disk, raw")
	trials     = flag.Int("trials", 20, "how often the power is cut")
	seed       = flag.Uint64("seed", uint64(time.Now().UnixNano()), "of when it is, and of what the disk loses")
	longest    = flag.Duration("longest", 20*time.Second, "after ready")
	transcript = flag.String("transcript", "", "file to write what happened to, as Markdown")
)

const patient = 10 * time.Minute // for what a guest does, on a machine that others use

// A life is what the guest said from its start until its power went.
type life struct {
	state, bundle string
	have          map[string]bool
	orders        []string // acknowledged
	bundles       int      // the latest that was acknowledged; 0 none
	ready         bool
	faults, notes []string
	cached, lost  int // sectors
	flushes       int
	after         time.Duration // from ready to the cut
}

// TestPowerCuts is the proof that what was acknowledged is there afterwards: each life's box must have every order of all lives
// before it, and run on the bundle that was taken last or say why not.
func TestPowerCuts(t *testing.T) {
	if *data == "" {
		t.Skip("run make powercut")
	}
	t.Logf("seed %d", *seed)
	random := rand.New(rand.NewPCG(*seed, 0))
	doc := &strings.Builder{}
	fmt.Fprintf(doc, "# Power cuts on a disk that forgets\n\nWhat `make powercut` did last: the box in QEMU on `simulate/cutdisk`, which loses of each sector that was not flushed any part of what was\n"+
		"written there, its power cut %d times while it took orders and bundles, seed %d. Each start must find every order that was\nacknowledged in any life before, and the bundle that was taken last.\n\n"+
		"| Life | Cut, after ready | Orders, bundles acknowledged | Sectors not flushed, lost | Then found: orders, bundle |\n|---|---|---|---|---|\n", *trials, *seed)
	acknowledged, taken := map[string]bool{}, 1
	var row string
	for i := range *trials + 1 { // the last life only looks
		within := time.Second + time.Duration(random.Int64N(int64(*longest)))
		l := live(t, *data, fmt.Sprint(i), "barrier=1", within, i == *trials, random)
		found := 0
		for id := range acknowledged {
			if l.have[id] {
				found++
			} else {
				t.Errorf("life %d: order %s was acknowledged and is not there", i, id)
			}
		}
		number, err := strconv.Atoi(l.bundle)
		switch {
		case err != nil || number == 0:
			t.Errorf("life %d: it runs on bundle %q; %s", i, l.bundle, l.state)
		case number < taken && !strings.Contains(l.state, `"why":`):
			t.Errorf("life %d: it runs on bundle %d without a reason, %d was taken; %s", i, number, taken, l.state)
		case number > taken+1:
			t.Errorf("life %d: it runs on bundle %d, %d was taken last", i, number, taken)
		}
		for _, f := range l.faults {
			t.Errorf("life %d: %s", i, f)
		}
		if row != "" {
			fmt.Fprintf(doc, "%s %d of %d, %s |\n", row, found, len(acknowledged), l.bundle)
		}
		row = fmt.Sprintf("| %d | %.1f s | %d, %d | %d, %d |", i+1, l.after.Seconds(), len(l.orders), l.bundles, l.cached, l.lost)
		for _, id := range l.orders {
			acknowledged[id] = true
		}
		taken = max(number, l.bundles)
		t.Logf("life %d: found %d orders and bundle %s; cut after %v: %d orders and bundle %d more, %d of %d sectors lost, %d flushes %v", i, found, l.bundle, l.after.Round(time.Millisecond), len(l.orders), l.bundles, l.lost, l.cached, l.flushes, l.notes)
	}
	if len(acknowledged) == 0 || taken < 2 {
		t.Errorf("nothing was at stake: %d orders, bundle %d", len(acknowledged), taken)
	}
	if t.Failed() {
		doc.WriteString("\n**Something was lost.**\n")
	} else {
		fmt.Fprintf(doc, "\n%d orders and %d bundles were acknowledged; none was lost.\n", len(acknowledged), taken-1)
	}
	if *transcript != "" {
		if err := os.WriteFile(*transcript, []byte(doc.String()), 0o644); err != nil {
			t.Error(err)
		}
	}
}

// TestFindsLoss shows that the test above can fail: with a file system that never flushes, orders are lost.
func TestFindsLoss(t *testing.T) {
	if *data == "" {
		t.Skip("run make powercut")
	}
	random := rand.New(rand.NewPCG(*seed, 1))
	whole, err := os.ReadFile(*data)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 5 {
		disk := filepath.Join(t.TempDir(), "disk")
		if err := os.WriteFile(disk, whole, 0o600); err != nil {
			t.Fatal(err)
		}
		first := live(t, disk, fmt.Sprintf("unsafe%d", i), "barrier=0", 3*time.Second, false, random)
		second := live(t, disk, "look", "barrier=0", 0, true, random)
		for _, id := range first.orders {
			if !second.have[id] {
				t.Logf("life %d: order %s is lost, as it must be; %v", i, id, second.faults)
				return
			}
		}
	}
	t.Error("a file system without flushes lost nothing: this disk shows nothing")
}

// live runs the guest until the power goes, that long after it is ready; or only until it is ready.
func live(t *testing.T, disk, trial, options string, within time.Duration, look bool, random *rand.Rand) life {
	t.Helper()
	dir, err := os.MkdirTemp("", "cut") // a socket's path is short
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	f, err := os.OpenFile(disk, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	about, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	d := cutdisk.New(f, about.Size())
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- d.Serve(ctx, listen(t, filepath.Join(dir, "nbd"))) }()
	line := listen(t, filepath.Join(dir, "line"))
	defer line.Close()
	said := &strings.Builder{}
	console := filepath.Join(dir, "console")
	q := exec.Command("qemu-system-x86_64", "-machine", "q35", "-cpu", "Nehalem", "-accel", "tcg,thread=multi", "-smp", "2", "-m", "512", "-display", "none", "-monitor", "none",
		"-nodefaults", "-no-reboot", "-kernel", *kernel, "-initrd", *initrd, "-append", "console=ttyS0 quiet panic=1 cryptomgr.notests trial="+trial+" options="+options,
		"-serial", "file:"+console, "-serial", "unix:"+filepath.Join(dir, "line"),
		"-drive", "driver=raw,file.driver=nbd,file.server.type=unix,file.server.path="+filepath.Join(dir, "nbd")+",if=virtio,cache.writeback=on")
	q.Stdout, q.Stderr = said, said
	if err := q.Start(); err != nil {
		t.Fatal(err)
	}
	ended := func() string {
		_ = q.Process.Kill()
		_ = q.Wait()
		b, _ := os.ReadFile(console)
		return said.String() + string(b[max(0, len(b)-4000):])
	}
	if err := line.(*net.UnixListener).SetDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	conn, err := line.Accept()
	if err != nil {
		t.Fatalf("%v\n%s", err, ended())
	}
	defer conn.Close()
	words := make(chan string, 100)
	go func() { // until the guest's end
		defer close(words)
		r := bufio.NewReaderSize(conn, 1<<20)
		for {
			text, err := r.ReadString('\n')
			if err != nil {
				return
			}
			words <- strings.TrimSpace(text)
		}
	}()
	l := life{have: map[string]bool{}}
	late := time.After(patient)
	var now <-chan time.Time
	var began time.Time
	for on := true; on; {
		select {
		case text, ok := <-words:
			if !ok {
				t.Fatalf("the guest ended by itself\n%s", ended())
			}
			l.hear(text)
			if l.ready && now == nil {
				began, now = time.Now(), time.After(within)
				on = !look
			}
		case <-now:
			on = false
		case <-late:
			t.Fatalf("the guest is not ready\n%s", ended())
		}
	}
	if !look { // when most is at stake: something is written and not flushed
		for end := time.Now().Add(5 * time.Second); d.Cached() == 0 && time.Now().Before(end); {
			time.Sleep(200 * time.Microsecond) // the next look
		}
	}
	if l.cached, l.lost, err = d.Cut(random); err != nil {
		t.Fatal(err)
	}
	l.after, l.flushes = time.Since(began), d.Flushes()
	ended()
	for text := range words { // what was said before the cut counts
		l.hear(text)
	}
	cancel()
	if err := <-served; err != nil {
		t.Error(err)
	}
	return l
}

// hear takes in one line of the guest; one that the cut ended counts for nothing.
func (l *life) hear(text string) {
	kind, rest, _ := strings.Cut(text, " ")
	switch kind {
	case "STATE":
		l.state = rest
	case "BUNDLE":
		l.bundle = rest
	case "HAVE":
		for id := range strings.FieldsSeq(rest) {
			l.have[id] = true
		}
	case "READY":
		l.ready = true
	case "ACK":
		what, id, _ := strings.Cut(rest, " ")
		if what == "order" {
			l.orders = append(l.orders, id)
		} else if n, err := strconv.Atoi(id); err == nil {
			l.bundles = n
		}
	case "FAIL":
		l.faults = append(l.faults, rest)
	case "NOTE":
		l.notes = append(l.notes, rest)
	}
}

func listen(t *testing.T, path string) net.Listener {
	t.Helper()
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	return l
}
