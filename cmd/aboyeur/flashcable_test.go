package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// pty makes a pseudo-terminal and gives its far end and the path of its near one.
func pty(t *testing.T) (*os.File, string) {
	t.Helper()
	far, err := os.OpenFile("/dev/ptmx", unix.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK, 0)
	if err != nil {
		t.Skip("no pseudo-terminals here: ", err)
	}
	t.Cleanup(func() { far.Close() })
	raw, err := far.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	var inner error
	if err := raw.Control(func(fd uintptr) {
		if inner = unix.IoctlSetPointerInt(int(fd), unix.TIOCSPTLCK, 0); inner == nil {
			n, inner = unix.IoctlGetInt(int(fd), unix.TIOCGPTN)
		}
	}); err != nil || inner != nil {
		t.Fatal(err, inner)
	}
	return far, fmt.Sprintf("/dev/pts/%d", n)
}

// TestFlashCable goes from the laptop's command to the box's over two terminals that are joined as a cable joins them.
func TestFlashCable(t *testing.T) {
	dir := t.TempDir()
	path := func(name string) string { return filepath.Join(dir, name) }
	run := func(args ...string) (int, string, string) {
		var out, err bytes.Buffer
		code := dispatch(t.Context(), stdio{strings.NewReader(""), &out, &err}, args)
		return code, out.String(), err.String()
	}
	must := func(args ...string) string {
		t.Helper()
		code, out, err := run(args...)
		if code != 0 {
			t.Fatalf("%v: exit %d\n%s%s", args, code, out, err)
		}
		return out
	}
	config := "site: {id: bistro-1, name: B, timezone: Europe/Paris, currency: EUR}\nhttp: {listen: \"127.0.0.1:1\"}\nprinters: [{name: g, connect: \"tcp:127.0.0.1:9100\"}]\nstations: [{name: g, printers: [g], default: true}]\n"
	if err := os.WriteFile(path("box.yaml"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path("big.bin"), bytes.Repeat([]byte("picture"), 20000), 0o600); err != nil {
		t.Fatal(err)
	}
	must("bundle", "keygen", path("keys"))
	pack := func(number string) string {
		file := path("b" + number)
		must("bundle", "pack", "--key", path("keys/office.key"), "--site", "bistro-1", "--number", number, "--out", file, path("box.yaml"), path("big.bin"))
		return file
	}

	box, boxTTY := pty(t)
	laptop, laptopTTY := pty(t)
	ctx, unplug := context.WithCancel(t.Context())
	served := make(chan int, 1)
	go func() {
		served <- dispatch(ctx, stdio{strings.NewReader(""), io.Discard, io.Discard}, []string{
			"flash", "serve", "--port", boxTTY, "--firmware", path("firmware"), "--trust", path("trust.d"), "--box", path("words"), "--wait", "0s"})
	}()
	joined := make(chan struct{}, 2)
	for _, way := range [][2]*os.File{{box, laptop}, {laptop, box}} {
		go func() {
			_, _ = io.Copy(way[0], patient{way[1]})
			joined <- struct{}{}
		}()
	}
	if out := must("flash", "cable", "--port", laptopTTY, "status"); !strings.Contains(out, "trusts     nobody yet") || !strings.Contains(out, "identity   age1") {
		t.Errorf("the status of a new box is %q", out)
	}
	code, out, said := run("flash", "cable", "--port", laptopTTY, pack("1"))
	if code != 0 || !strings.Contains(out, "bundle 1 of site bistro-1: laid in") || !strings.Contains(said, "[##############################] 100 %") {
		t.Errorf("the first bundle: exit %d\n%s%s", code, out, said)
	}
	if out := must("flash", "cable", "--port", laptopTTY, "status"); !strings.Contains(out, "on trial") || !strings.Contains(out, "bundle     1") {
		t.Errorf("the status is %q", out)
	}
	code, _, said = run("flash", "cable", "--port", laptopTTY, pack("2"))
	if code != exitRefused || !strings.Contains(said, "refused: trial_running") {
		t.Errorf("a second bundle too soon: exit %d\n%s", code, said)
	}
	if code, _, said := run("flash", "cable", "--port", laptopTTY, path("box.yaml")); code != exitRefused || !strings.Contains(said, "not_a_bundle") {
		t.Errorf("what is no bundle: exit %d\n%s", code, said)
	}
	if code, _, said := run("flash", "cable", "--port", path("tty-that-is-none"), "status"); code != exitLink {
		t.Errorf("a line that is none: exit %d\n%s", code, said)
	}
	unplug()
	if code := <-served; code != 0 {
		t.Errorf("the box's end: exit %d", code)
	}
	box.Close()
	laptop.Close()
	<-joined
	<-joined
}

// patient has no more than Read, and reads on while nobody has the near end of a terminal open, which reads as a fault.
type patient struct{ far *os.File }

func (p patient) Read(b []byte) (int, error) {
	for {
		n, err := p.far.Read(b)
		if n > 0 || err == nil || !strings.Contains(err.Error(), "input/output error") {
			return n, err
		}
		if _, err := unix.Poll([]unix.PollFd{}, 5); err != nil && err != unix.EINTR {
			return 0, err
		}
	}
}
