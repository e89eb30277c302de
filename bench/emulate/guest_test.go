//go:build emulate

package emulate_test

import (
	"bufio"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// A guest is a box made of make image's image, in QEMU without KVM. Nothing is plugged in at its USB until somebody does.
// What the walk wants of it goes over a virtio line to a small shell unit that walk.sh adds to a copy of the image; the
// image itself has no such line.
type guest struct {
	t     *testing.T
	story *story
	disk  string // qcow2
	arch  string
	port  int // on this machine, the guest's 8080

	dir     string
	process *exec.Cmd
	said    *strings.Builder
	control *qmp
	line    net.Conn
	answers *bufio.Reader
	asked   int
}

const (
	booting = 30 * time.Minute // by software emulation, on a machine that others use
	patient = 15 * time.Minute // for what a guest does
)

// start boots the guest, or restores its saved state of that name. It returns once the guest answers.
func (g *guest) start(saved string) {
	g.t.Helper()
	var err error
	if g.dir, err = os.MkdirTemp("", "walk"); err != nil { // a socket's path is short
		g.t.Fatal(err)
	}
	if g.port == 0 {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			g.t.Fatal(err)
		}
		g.port = l.Addr().(*net.TCPAddr).Port
		l.Close()
	}
	line, err := net.Listen("unix", filepath.Join(g.dir, "line"))
	if err != nil {
		g.t.Fatal(err)
	}
	defer line.Close()
	program, args := g.machine()
	args = append(args, "-accel", "tcg,thread=multi", "-smp", "2", "-m", "1024", "-display", "none", "-monitor", "none",
		"-serial", "file:"+filepath.Join(g.dir, "console"),
		"-qmp", "unix:"+filepath.Join(g.dir, "qmp")+",server=on,wait=off",
		"-drive", "file="+g.disk+",format=qcow2,if=virtio,cache=writeback",
		"-device", "qemu-xhci,id=usb",
		"-netdev", fmt.Sprintf("user,id=net,hostfwd=tcp:127.0.0.1:%d-:8080", g.port), "-device", "virtio-net-pci,netdev=net,romfile=",
		"-device", "virtio-serial", "-chardev", "socket,id=line,path="+filepath.Join(g.dir, "line"),
		"-device", "virtserialport,chardev=line,name=walk")
	if *system != "" {
		args = append(args, "-drive", "file="+*system+",format=raw,if=virtio,readonly=on")
	}
	if saved != "" {
		args = append(args, "-loadvm", saved)
	}
	g.said = &strings.Builder{}
	g.process = exec.Command(program, args...)
	g.process.Stdout, g.process.Stderr = g.said, g.said
	if err := g.process.Start(); err != nil {
		g.t.Fatal(err)
	}
	if err := line.(*net.UnixListener).SetDeadline(time.Now().Add(time.Minute)); err != nil {
		g.t.Fatal(err)
	}
	if g.line, err = line.Accept(); err != nil {
		g.t.Fatalf("qemu does not come: %v\n%s", err, g.said)
	}
	g.answers = bufio.NewReaderSize(g.line, 1<<20)
	g.control = dialQMP(g.t, filepath.Join(g.dir, "qmp"))
	if saved == "" {
		g.awaitBoot(booting)
	}
}

// awaitBoot waits for the word of the unit in the guest that it is there.
func (g *guest) awaitBoot(within time.Duration) {
	g.t.Helper()
	if err := g.line.SetReadDeadline(time.Now().Add(within)); err != nil {
		g.t.Fatal(err)
	}
	for {
		text, err := g.answers.ReadString('\n')
		if err != nil {
			g.t.Fatalf("the guest does not boot: %v\n%s", err, g.console())
		}
		if strings.TrimSpace(text) == "ready" {
			return
		}
	}
}

// reboot has the guest start anew by itself, as often as it likes, until one that answers is there.
func (g *guest) reboot(within time.Duration) {
	g.t.Helper()
	g.story.note("box# reboot")
	if out, code := g.try("systemd-run --on-active=1 systemctl reboot"); code != 0 {
		g.t.Fatal(out)
	}
	g.awaitBoot(within)
	g.story.note("the box answers again")
}

// machine is QEMU's program and what differs between architectures.
func (g *guest) machine() (string, []string) {
	if g.arch == "amd64" {
		return "qemu-system-x86_64", []string{"-machine", "q35", "-cpu", "Nehalem", "-bios", "/usr/share/ovmf/OVMF.fd"}
	}
	return "qemu-system-aarch64", []string{"-machine", "virt", "-cpu", "cortex-a53", "-bios", "/usr/share/qemu-efi-aarch64/QEMU_EFI.fd"}
}

func (g *guest) console() string {
	b, _ := os.ReadFile(filepath.Join(g.dir, "console"))
	return string(b[max(0, len(b)-4000):])
}

// cut takes the power: the process dies at once, with what the guest's kernel had not written yet.
func (g *guest) cut() {
	if g.process == nil {
		return
	}
	_ = g.process.Process.Kill()
	_ = g.process.Wait()
	g.control.close()
	g.line.Close()
	g.process = nil
	os.RemoveAll(g.dir)
}

// try runs a shell command in the guest, as root, and gives what it said and its exit code.
func (g *guest) try(command string) (string, int) {
	g.t.Helper()
	g.asked++
	id := strconv.Itoa(g.asked) + "." + strconv.FormatInt(time.Now().UnixNano(), 36)
	if err := g.line.SetDeadline(time.Now().Add(patient)); err != nil {
		g.t.Fatal(err)
	}
	if _, err := fmt.Fprintf(g.line, "%s %s\n", id, base64.StdEncoding.EncodeToString([]byte(command))); err != nil {
		g.t.Fatal(err)
	}
	for {
		text, err := g.answers.ReadString('\n')
		if err != nil {
			g.t.Fatalf("no answer to %q: %v\n%s", command, err, g.console())
		}
		words := strings.Fields(text)
		if len(words) < 2 || words[0] != id {
			continue
		}
		code, err := strconv.Atoi(words[1])
		if err != nil {
			g.t.Fatalf("%q: %v", text, err)
		}
		if len(words) == 2 {
			return "", code
		}
		out, err := base64.StdEncoding.DecodeString(words[2])
		if err != nil {
			g.t.Fatalf("%q: %v", text, err)
		}
		return strings.TrimRight(string(out), "\n"), code
	}
}

// sh runs a command that must succeed, and has it in the transcript.
func (g *guest) sh(command string) string {
	g.t.Helper()
	out, code := g.try(command)
	g.story.note("box# %s", command)
	g.story.note("%s", out)
	if code != 0 {
		g.t.Fatalf("%s: exit %d\n%s", command, code, out)
	}
	return out
}

// secret runs a command of which the transcript has no answer.
func (g *guest) secret(command string) string {
	g.t.Helper()
	out, code := g.try(command)
	g.story.note("box# %s", command)
	if code != 0 {
		g.t.Fatalf("%s: exit %d\n%s", command, code, out)
	}
	return out
}

// until runs a command again and again, until it succeeds; only the last time is in the transcript.
func (g *guest) until(what, command string) string {
	g.t.Helper()
	for end := time.Now().Add(patient); ; {
		out, code := g.try(command)
		if code == 0 {
			g.story.note("box# %s", command)
			g.story.note("%s", out)
			return out
		}
		if time.Now().After(end) {
			log, _ := g.try("journalctl --no-pager -n 80 -o cat; lsblk; ls -l /dev/usb /dev/ttyUSB* /dev/aboyeur")
			g.t.Fatalf("waited in vain for %s: %s\n%s\n%s", what, command, out, log)
		}
	}
}

// put writes a file into the guest.
func (g *guest) put(path string, content []byte) {
	g.t.Helper()
	if out, code := g.try("base64 -d >" + path + " <<'END'\n" + base64.StdEncoding.EncodeToString(content) + "\nEND"); code != 0 {
		g.t.Fatalf("%s: %s", path, out)
	}
}

// A qmp is QEMU's control line.
type qmp struct {
	t    *testing.T
	conn net.Conn

	mu     sync.Mutex // guards what follows
	bell   chan struct{}
	heard  []map[string]any
	closed bool
}

func dialQMP(t *testing.T, path string) *qmp {
	t.Helper()
	q := &qmp{t: t, bell: make(chan struct{})}
	var err error
	for end := time.Now().Add(time.Minute); ; {
		if q.conn, err = net.Dial("unix", path); err == nil {
			break
		}
		if time.Now().After(end) {
			t.Fatal(err)
		}
		runtime.Gosched()
	}
	go q.listen()
	q.do("qmp_capabilities", nil)
	return q
}

func (q *qmp) close() {
	q.mu.Lock()
	q.closed = true
	q.mu.Unlock()
	q.conn.Close()
}

func (q *qmp) listen() {
	lines := bufio.NewScanner(q.conn)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var m map[string]any
		if json.Unmarshal(lines.Bytes(), &m) != nil {
			continue
		}
		q.mu.Lock()
		q.heard = append(q.heard, m)
		close(q.bell)
		q.bell = make(chan struct{})
		q.mu.Unlock()
	}
}

// wait gives the first message since from that ok takes.
func (q *qmp) wait(from int, what string, ok func(map[string]any) bool) map[string]any {
	q.t.Helper()
	late := time.After(time.Minute)
	for {
		q.mu.Lock()
		bell := q.bell
		for ; from < len(q.heard); from++ {
			if m := q.heard[from]; ok(m) {
				q.mu.Unlock()
				return m
			}
		}
		q.mu.Unlock()
		select {
		case <-bell:
		case <-late:
			q.t.Fatalf("qemu: no %s", what)
		}
	}
}

func (q *qmp) mark() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.heard)
}

// do runs a command of QMP and gives its answer.
func (q *qmp) do(command string, arguments map[string]any) any {
	q.t.Helper()
	m := map[string]any{"execute": command}
	if arguments != nil {
		m["arguments"] = arguments
	}
	b, err := json.Marshal(m)
	if err != nil {
		q.t.Fatal(err)
	}
	from := q.mark()
	if _, err := q.conn.Write(append(b, '\n')); err != nil {
		q.t.Fatal(err)
	}
	answer := q.wait(from, "answer to "+command, func(m map[string]any) bool { return m["return"] != nil || m["error"] != nil })
	if answer["error"] != nil {
		q.t.Fatalf("qemu: %s: %v", b, answer["error"])
	}
	return answer["return"]
}

// human runs a command of QEMU's monitor.
func (q *qmp) human(command string) {
	q.t.Helper()
	if said, _ := q.do("human-monitor-command", map[string]any{"command-line": command}).(string); strings.TrimSpace(said) != "" {
		q.t.Fatalf("qemu: %s: %s", command, said)
	}
}

// plugStick puts the image of a stick into the box's USB.
func (g *guest) plugStick(id, image string) {
	g.t.Helper()
	g.story.note("a stick is put in: %s", id)
	g.control.do("blockdev-add", map[string]any{"driver": "raw", "node-name": id, "file": map[string]any{"driver": "file", "filename": image}})
	g.control.do("device_add", map[string]any{"driver": "usb-storage", "id": "dev-" + id, "drive": id, "bus": "usb.0", "removable": true})
}

// pull takes a stick out, whatever the box is doing with it.
func (g *guest) pull(id string) {
	g.t.Helper()
	g.story.note("the stick is pulled out: %s", id)
	from := g.control.mark()
	g.control.do("device_del", map[string]any{"id": "dev-" + id})
	g.control.wait(from, "event that the stick is gone", func(m map[string]any) bool { return m["event"] == "DEVICE_DELETED" })
	g.control.do("blockdev-del", map[string]any{"node-name": id})
}

// plugPrinter plugs a simulated USB printer in, through usb-redir.
func (g *guest) plugPrinter(ctx context.Context, id string, serve func(context.Context, net.Listener) error) {
	g.t.Helper()
	path := filepath.Join(g.dir, id)
	l, err := net.Listen("unix", path)
	if err != nil {
		g.t.Fatal(err)
	}
	go func() {
		if err := serve(ctx, l); err != nil && !errors.Is(err, net.ErrClosed) && ctx.Err() == nil {
			g.t.Errorf("%s: %v", id, err)
		}
	}()
	g.control.do("chardev-add", map[string]any{"id": id, "backend": map[string]any{"type": "socket", "data": map[string]any{
		"addr": map[string]any{"type": "unix", "data": map[string]any{"path": path}}, "server": false}}})
	g.control.do("device_add", map[string]any{"driver": "usb-redir", "id": "dev-" + id, "chardev": id, "bus": "usb.0"})
}

// plugSerial plugs an FTDI serial adapter in and gives its other end.
func (g *guest) plugSerial(id, number string) net.Conn {
	g.t.Helper()
	path := filepath.Join(g.dir, id)
	g.control.do("chardev-add", map[string]any{"id": id, "backend": map[string]any{"type": "socket", "data": map[string]any{
		"addr": map[string]any{"type": "unix", "data": map[string]any{"path": path}}, "server": true, "wait": false}}})
	g.control.do("device_add", map[string]any{"driver": "usb-serial", "id": "dev-" + id, "chardev": id, "serial": number, "bus": "usb.0"})
	conn, err := net.Dial("unix", path)
	if err != nil {
		g.t.Fatal(err)
	}
	return conn
}
