//go:build emulate

package usbredir

import (
	"bufio"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"aboyeur/simulate/printer"
)

var (
	image      = flag.String("image", "", "folder that bench/emulate/image.sh made")
	programs   = flag.String("programs", "", "disk image with the guest's programs")
	transcript = flag.String("transcript", "", "file to write what happened to, as Markdown")
)

const (
	serialNumber = "SIM4711"
	address      = "usb:04b8:0e15:" + serialNumber
	booting      = 150 * time.Second // of a guest without KVM on a busy machine
	patience     = 60 * time.Second  // for what a guest does
)

// A machine is a guest with our printer at its USB.
type machine struct {
	t   *testing.T
	top *testing.T // outlives the others
	d   *Device
	p   *printer.Printer

	began time.Time
	line  net.Conn

	mu     sync.Mutex // guards what follows
	bell   chan struct{}
	events []event
	doc    strings.Builder
}

// An event is a line from the program in the guest (devices/port's usb_guest_test.go).
type event struct {
	Ev       string
	Libusb   bool
	Text     string
	Error    string
	N        int
	Job      int
	State    string
	Evidence string
	Reason   string
	Attempt  int
	Banner   bool
	Paper    string
	Proof    string
	Up       bool
}

type order struct {
	Op      string        `json:"op"`
	Address string        `json:"address,omitempty"`
	Job     int           `json:"job,omitempty"`
	Body    string        `json:"body,omitempty"`
	Command []string      `json:"command,omitempty"`
	For     time.Duration `json:"for,omitempty"`
}

// note adds a line to the transcript.
func (m *machine) note(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	m.mu.Lock()
	defer m.mu.Unlock()
	for line := range strings.SplitSeq(text, "\n") {
		fmt.Fprintf(&m.doc, "%8.3f %s\n", time.Since(m.began).Seconds(), strings.TrimRight(line, " "))
	}
	m.top.Logf("%7.2f %s", time.Since(m.began).Seconds(), text)
}

func boot(t *testing.T) *machine {
	t.Helper()
	if *image == "" || *programs == "" {
		t.Skip("run make emulate-usb")
	}
	dir, err := os.MkdirTemp("", "usb") // a socket's path is short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	listen := func(name string) net.Listener {
		l, err := net.Listen("unix", filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { l.Close() })
		return l
	}
	p, err := printer.New(printer.Config{Model: "epson-tm-t20", Serial: serialNumber, ReceiveBuffer: 4096, PowerPause: 2 * time.Second, Speed: printer.Speed{LinesPerSecond: 200}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	d, err := New(Config{Serial: serialNumber, DeviceID: "MFG:EPSON;CMD:ESC/POS;MDL:TM-T20II;CLS:PRINTER;SN:" + serialNumber + ";",
		Serve: p.ServeConn, Up: func() bool { return p.State().Power },
		Status: func() byte {
			if s := p.State(); s.Reason == "paper_out" {
				return 0x20
			} else if !s.Online {
				return 0x08
			}
			return DefaultStatus
		}})
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Do("unplug"); err != nil {
		t.Fatal(err)
	}
	m := &machine{t: t, top: t, d: d, p: p, began: time.Now(), bell: make(chan struct{})}
	ctx, cancel := context.WithCancel(context.Background())
	var work sync.WaitGroup
	usb, line := listen("usb"), listen("line")
	work.Go(func() {
		if err := d.Serve(ctx, usb); err != nil {
			t.Errorf("usb: %v", err)
		}
	})
	console, err := os.Create(filepath.Join(dir, "console"))
	if err != nil {
		t.Fatal(err)
	}
	var said strings.Builder
	q := exec.Command("qemu-system-x86_64", "-machine", "q35", "-cpu", "Nehalem", "-accel", "tcg,thread=multi", "-smp", "2", "-m", "512",
		"-display", "none", "-monitor", "none", "-no-reboot", "-nic", "none", "-serial", "file:"+console.Name(),
		"-kernel", filepath.Join(*image, "vmlinuz"), "-initrd", filepath.Join(*image, "initrd"),
		"-append", "console=ttyS0 root=/dev/vda rw quiet systemd.show_status=0 printk.time=1",
		"-drive", "file="+filepath.Join(*image, "root.img")+",format=raw,if=virtio,snapshot=on",
		"-drive", "file="+*programs+",format=raw,if=virtio,readonly=on",
		"-device", "qemu-xhci", "-chardev", "socket,id=usb,path="+filepath.Join(dir, "usb"), "-device", "usb-redir,chardev=usb",
		"-device", "virtio-serial", "-chardev", "socket,id=line,path="+filepath.Join(dir, "line"),
		"-device", "virtserialport,chardev=line,name=aboyeur")
	q.Stderr = &said
	if err := q.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = q.Process.Kill() // its disk is thrown away
		_ = q.Wait()
		if m.line != nil {
			m.line.Close()
		}
		cancel()
		work.Wait()
		if t.Failed() {
			log, _ := os.ReadFile(console.Name())
			t.Logf("qemu: %s\nconsole: %s", said.String(), log[max(0, len(log)-4000):])
		}
	})
	if err := line.(*net.UnixListener).SetDeadline(time.Now().Add(booting)); err != nil {
		t.Fatal(err)
	}
	if m.line, err = line.Accept(); err != nil {
		t.Fatalf("qemu does not come: %v", err)
	}
	work.Go(m.listen)
	return m
}

func (m *machine) listen() {
	lines := bufio.NewScanner(m.line)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var e event
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			m.note("guest says %q: %v", lines.Bytes(), err)
			continue
		}
		switch e.Ev {
		case "ready":
			m.note("guest: ready, Linux %s, libusb %v", e.Text, e.Libusb)
		case "sending":
			m.note("guest: job %d attempt %d is sent%s", e.Job, e.Attempt, map[bool]string{true: " under a banner"}[e.Banner])
		case "report":
			m.note("guest: job %d attempt %d %s", e.Job, e.Attempt, strings.TrimSpace(e.State+" "+e.Evidence+" "+e.Reason))
		case "status":
			m.note("guest: printer %s paper %s proof %s", strings.TrimSpace(e.State+" "+e.Reason), e.Paper, e.Proof)
		case "plug":
			m.note("guest: the kernel tells of USB")
		case "log":
			m.note("guest: %s", strings.TrimSpace(after(after(e.Text, "level="), "msg=")))
		}
		m.mu.Lock()
		m.events = append(m.events, e)
		close(m.bell)
		m.bell = make(chan struct{})
		m.mu.Unlock()
	}
}

func after(s, mark string) string {
	if _, rest, ok := strings.Cut(s, mark); ok {
		return rest
	}
	return s
}

// mark is where the next wait begins.
func (m *machine) mark() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.events)
}

// wait returns the first event since from that ok takes.
func (m *machine) wait(from int, what string, ok func(event) bool) event {
	m.t.Helper()
	return m.waitFor(patience, from, what, ok)
}

func (m *machine) waitFor(d time.Duration, from int, what string, ok func(event) bool) event {
	m.t.Helper()
	late := time.After(d)
	for {
		m.mu.Lock()
		bell := m.bell
		for ; from < len(m.events); from++ {
			if ok(m.events[from]) {
				e := m.events[from]
				m.mu.Unlock()
				return e
			}
		}
		m.mu.Unlock()
		select {
		case <-bell:
		case <-late:
			m.t.Fatalf("%s did not come", what)
		}
	}
}

// tell gives the guest an order and returns its answer.
func (m *machine) tell(o order) event {
	m.t.Helper()
	from := m.mark()
	b, err := json.Marshal(o)
	if err != nil {
		m.t.Fatal(err)
	}
	if _, err := m.line.Write(append(b, '\n')); err != nil {
		m.t.Fatal(err)
	}
	return m.wait(from, "an answer to "+o.Op, func(e event) bool { return e.Ev == "answer" })
}

func (m *machine) sh(command string) string {
	m.t.Helper()
	e := m.tell(order{Op: "sh", Command: []string{command}})
	m.note("$ %s\n%s", command, e.Text)
	return e.Text
}

func (m *machine) do(command string) {
	m.t.Helper()
	m.note("printer: %s", command)
	if err := m.d.Do(command); err != nil {
		m.t.Fatal(err)
	}
}

func (m *machine) inject(f printer.Fault) {
	m.t.Helper()
	m.note("printer: %s at byte %d", f.Kind, f.At)
	if err := m.p.Inject(f); err != nil {
		m.t.Fatal(err)
	}
}

func (m *machine) lift(k printer.Kind) {
	m.t.Helper()
	m.note("printer: no more %s", k)
	if err := m.p.Lift(k); err != nil {
		m.t.Fatal(err)
	}
}

// job queues a ticket of so many lines.
func (m *machine) job(n, lines int) {
	m.t.Helper()
	var b strings.Builder
	fmt.Fprintf(&b, "ORDER %03d\n", n)
	for i := range lines {
		fmt.Fprintf(&b, "%3d x coq au vin, no onions\n", i+1)
	}
	m.note("job %d, %d bytes", n, b.Len())
	m.tell(order{Op: "job", Job: n, Body: b.String()})
}

func state(n int, states ...string) func(event) bool {
	return func(e event) bool {
		for _, s := range states {
			if e.Ev == "report" && e.Job == n && e.State == s {
				return true
			}
		}
		return false
	}
}

// done waits until job n is done, and wants it on paper once without banner at most, twice at most, whole at least once.
func (m *machine) done(from, n, lines int, banners int) event {
	m.t.Helper()
	e := m.wait(from, fmt.Sprintf("job %d done", n), state(n, "done"))
	if e.Evidence != "process_id" {
		m.t.Errorf("job %d is done by %q, want process_id", n, e.Evidence)
	}
	plain, marked, whole := 0, 0, 0
	title, last := fmt.Sprintf("ORDER %03d", n), fmt.Sprintf("%3d x coq au vin, no onions", lines)
	for _, t := range m.p.Tickets() {
		if !strings.Contains(t.Text, title) {
			continue
		}
		if t.Banner {
			marked++
		} else {
			plain++
		}
		if strings.Contains(t.Text, last) && strings.Contains(t.Text, "END ") && !t.Partial {
			whole++
		}
	}
	m.note("paper: job %d without banner %d, under a banner %d, whole %d", n, plain, marked, whole)
	if plain > 1 || plain+marked > 2 || whole < 1 || marked > banners {
		m.t.Errorf("job %d: %d copies without banner, %d with, %d whole", n, plain, marked, whole)
		for _, t := range m.p.Tickets() {
			m.t.Logf("paper %d, partial %v, banner %v:\n%s", t.N, t.Partial, t.Banner, t.Text)
		}
	}
	return e
}

// up waits until the printer is connected.
func (m *machine) up(from int) {
	m.t.Helper()
	m.wait(from, "a connection", func(e event) bool { return e.Ev == "status" && e.Up && e.State == "ready" })
}

// chapter runs a scenario.
func (m *machine) chapter(name string, f func()) {
	m.t.Run(name, func(t *testing.T) {
		outer := m.t
		m.t = t
		defer func() { m.t = outer }()
		m.mu.Lock()
		fmt.Fprintf(&m.doc, "```\n\n## %s\n\n```text\n", name)
		m.mu.Unlock()
		f()
	})
	if m.t.Failed() {
		m.t.FailNow() // what follows would begin in a state nobody knows
	}
}

// become exchanges the printer for one with the vendor's own class, or back.
func (m *machine) become(vendored bool) {
	m.t.Helper()
	from, before := m.mark(), m.d.Counts().Connects
	m.do("unplug")
	m.wait(from, "the kernel's message", func(e event) bool { return e.Ev == "plug" })
	m.d.c.Vendored = vendored // nobody reads it while it is not plugged in
	m.note("printer: vendor's own class %v", vendored)
	m.do("plug")
	soon(m.t, "a connection", func() bool { return m.d.Counts().Connects > before })
}

// TestEmulatedUSB prints from a guest through the real kernel and libusb, and through the kernel's own driver, on the
// simulated printer, with everything going wrong that the plug can make go wrong.
func TestEmulatedUSB(t *testing.T) {
	m := boot(t)
	n := 0
	next := func() int { n++; return n }

	m.chapter("Boot, hot-plug", func() {
		m.waitFor(booting, 0, "the guest", func(e event) bool { return e.Ev == "ready" })
		from := m.mark()
		m.do("plug")
		m.wait(from, "the kernel's message", func(e event) bool { return e.Ev == "plug" })
		m.sh("udevadm settle; lsusb -d 04b8: ; ls /dev/usb; readlink /sys/bus/usb/devices/*:1.0/driver | grep -o usblp$")
		e := m.tell(order{Op: "raw", Address: address})
		m.note("guest: %s", e.Text)
		if want := "MFG:EPSON;CMD:ESC/POS;MDL:TM-T20II;CLS:PRINTER;SN:" + serialNumber + "; status 0x18"; e.Error != "" || e.Text != want {
			t.Errorf("device id and status = %q, %s, want %q", e.Text, e.Error, want)
		}
		if got := m.sh("udevadm settle; readlink /sys/bus/usb/devices/*:1.0/driver | grep -o usblp$"); got != "usblp" {
			t.Errorf("after Close the kernel's driver does not have the printer back: %q", got)
		}
	})
	open := func() {
		from := m.mark()
		if e := m.tell(order{Op: "open", Address: address}); e.Error != "" {
			t.Fatal(e.Error)
		}
		m.up(from)
	}
	m.scenarios(next, open, true)

	m.chapter("A cancelled transfer's count is worth nothing", func() {
		m.tell(order{Op: "close"})
		before := m.d.Counts()
		m.do("accept 1000")
		e := m.tell(order{Op: "raw", Address: address, Body: strings.Repeat("0123456789012345678901234567890\n", 62), For: time.Second})
		got := m.d.Counts()
		m.note("guest: Write said %d and %q; the printer took %d, transfers cancelled %d", e.N, e.Reason, got.Taken-before.Taken, got.Cancelled-before.Cancelled)
		if e.N != 1024 || got.Taken-before.Taken != 1000 || got.Partial-before.Partial != 1 {
			t.Errorf("Write = %d, the printer took %d, %d partly", e.N, got.Taken-before.Taken, got.Partial-before.Partial)
		}
		m.do("ack")
		open()
		from, n := m.mark(), next()
		m.job(n, 5)
		m.done(from, n, 5, 0)
	})
	m.chapter("The program ends in the middle of a ticket", func() {
		from, n := m.mark(), next()
		m.do("accept 200")
		m.job(n, 30)
		m.wait(from, "waiting", state(n, "waiting"))
		m.tell(order{Op: "close"})
		m.wait(from, "unknown", state(n, "unknown"))
		m.do("ack")
		open()
		m.done(from, n, 30, 1)
	})

	m.chapter("A vendor's own class, which the kernel's driver leaves alone (libusb)", func() {
		m.tell(order{Op: "close"})
		m.become(true)
		open()
		from, n := m.mark(), next()
		m.job(n, 5)
		m.done(from, n, 5, 0)
		m.tell(order{Op: "close"})
		m.become(false)
		open()
	})

	m.chapter("The kernel's driver: a build without libusb, /dev/usb/lp", func() {
		from := m.mark()
		m.note("$ exec /mnt/guest-nocgo")
		b, _ := json.Marshal(order{Op: "exec", Command: []string{"/mnt/guest-nocgo"}})
		if _, err := m.line.Write(append(b, '\n')); err != nil {
			t.Fatal(err)
		}
		if e := m.wait(from, "the other build", func(e event) bool { return e.Ev == "ready" }); e.Libusb {
			t.Error("it has libusb")
		}
		e := m.tell(order{Op: "raw", Address: address})
		m.note("guest: %s %s", e.Text, e.Error)
		if want := "MFG:EPSON;CMD:ESC/POS;MDL:TM-T20II;CLS:PRINTER;SN:" + serialNumber + "; status 0x18"; e.Error != "" || e.Text != want {
			t.Errorf("device id and status = %q, %s, want %q", e.Text, e.Error, want)
		}
		open()
	})
	m.scenarios(next, open, false)
	m.chapter("A vendor's own class and no libusb", func() {
		m.tell(order{Op: "close"})
		m.become(true)
		e := m.tell(order{Op: "raw", Address: address})
		m.note("guest: %s", e.Error)
		if !strings.Contains(e.Error, "it has no libusb") {
			t.Errorf("open = %q", e.Error)
		}
	})

	if *transcript != "" {
		if err := m.write(*transcript); err != nil {
			t.Fatal(err)
		}
	}
}

// scenarios are the same for both ways to the printer.
func (m *machine) scenarios(next func() int, open func(), libusb bool) {
	by := " (libusb)"
	if !libusb {
		by = " (kernel's driver)"
	}
	m.chapter("Tickets, proof, status"+by, func() {
		if libusb {
			open()
		}
		from := m.mark()
		first := next()
		m.job(first, 5)
		m.job(next(), 20)
		last := next()
		m.job(last, 300)
		m.done(from, first, 5, 0)
		m.done(from, last, 300, 0)
		from = m.mark()
		m.inject(printer.Fault{Kind: printer.PaperLow})
		m.wait(from, "paper low", func(e event) bool { return e.Ev == "status" && e.Paper == "low" })
		m.lift(printer.PaperLow)
		m.wait(from, "paper", func(e event) bool { return e.Ev == "status" && e.Paper == "ok" })
	})
	m.chapter("Paper out in the middle"+by, func() {
		from, n := m.mark(), next()
		m.inject(printer.Fault{Kind: printer.PaperOut, At: 300})
		m.job(n, 300) // more than the printer's buffer holds
		m.wait(from, "waiting", state(n, "waiting"))
		m.lift(printer.PaperOut)
		m.done(from, n, 300, 0)
	})
	m.chapter("Paper out before the ticket"+by, func() {
		from, n := m.mark(), next()
		m.inject(printer.Fault{Kind: printer.PaperOut})
		m.wait(from, "paper out", func(e event) bool { return e.Ev == "status" && e.State == "paper_out" })
		m.job(n, 5)
		m.lift(printer.PaperOut)
		m.done(from, n, 5, 0)
	})
	m.chapter("NAK in the middle, longer than any deadline"+by, func() {
		before := m.d.Counts()
		from, n := m.mark(), next()
		m.do("accept 300")
		m.job(n, 30)
		m.wait(from, "waiting", state(n, "waiting"))
		m.do("ack")
		m.done(from, n, 30, 0)
		if got := m.d.Counts(); got.Cancelled != before.Cancelled {
			m.t.Errorf("%d transfers were cancelled", got.Cancelled-before.Cancelled)
		}
	})
	m.chapter("A slow printer"+by, func() {
		from, n := m.mark(), next()
		m.do("slow 400")
		m.job(n, 60)
		m.done(from, n, 60, 0)
		m.do("fast")
	})
	m.chapter("Unplugged between tickets"+by, func() {
		from := m.mark()
		m.do("unplug")
		m.wait(from, "the loss", func(e event) bool { return e.Ev == "status" && !e.Up })
		n := next()
		m.job(n, 5)
		from = m.mark()
		m.do("plug")
		m.done(from, n, 5, 0)
	})
	m.chapter("Unplugged in the middle of a ticket"+by, func() {
		from, n := m.mark(), next()
		m.do("accept 400")
		m.job(n, 60)
		m.wait(from, "waiting", state(n, "waiting"))
		m.do("unplug")
		m.wait(from, "unknown", state(n, "unknown"))
		m.do("ack")
		m.do("plug")
		m.done(from, n, 60, 1)
	})
	m.chapter("The printer loses power in the middle of a ticket"+by, func() {
		from, n := m.mark(), next()
		m.inject(printer.Fault{Kind: printer.PowerCycle, At: 300})
		m.job(n, 60)
		m.wait(from, "unknown", state(n, "unknown"))
		m.done(from, n, 60, 1)
	})
	if !libusb {
		return // usblp tells nobody of a stall and never cures one
	}
	m.chapter("Stall in the middle of a ticket"+by, func() {
		before := m.d.Counts()
		from, n := m.mark(), next()
		m.do("stall 500")
		m.job(n, 60)
		m.wait(from, "unknown", state(n, "unknown"))
		m.done(from, n, 60, 1)
		if got := m.d.Counts(); got.Stalls == before.Stalls || got.Resets == before.Resets {
			m.t.Errorf("%d stalls, %d resets", got.Stalls-before.Stalls, got.Resets-before.Resets)
		}
	})
}

func (m *machine) write(path string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return os.WriteFile(path, []byte(`# A USB printer through the real kernel

What `+"`make emulate-usb`"+` did, line by line: a Debian guest in QEMU (x86_64, no KVM, so times are long), our simulated printer plugged in
by usb-redir, `+"`devices/port`"+` and `+"`devices/printer`"+` in the guest, first through libusb (gousb), then in a build without it through the
kernel's usblp driver. A job is checked on the simulated paper: at most one copy without a banner, at most two in all, at
least one whole, and done by the echo of its own token. A part of a ticket that a replugged printer still had in memory
hangs on the copy that follows it. Seconds since the start stand first; the run writes this page anew.

`+strings.TrimPrefix(m.doc.String(), "```\n\n")+"```\n"), 0o644)
}
