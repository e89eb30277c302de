package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// A process is a child of the generator: a box, a floor, a simulated printer. It dies with the generator.
type process struct {
	name    string
	cmd     *exec.Cmd
	pid     int           // of the program itself, not of a tracer before it
	started time.Duration // CLOCK_MONOTONIC just before the program was executed
	done    chan struct{}
	err     error // of Wait; valid after done
	tail    *tail // of standard error
	cage    *cage
}

// A launch says how to start a child.
type launch struct {
	name string
	argv []string
	out  io.Writer     // standard output; nil: thrown away
	log  string        // file for standard error
	cage *cage         // nil: free
	sync time.Duration // added to each fsync by strace; 0: none
}

// start starts the child. The calling goroutine must be locked to a thread that lives as long as the child should:
// the kernel ends the child when that thread goes.
func start(l launch) (*process, error) {
	p := &process{name: l.name, done: make(chan struct{}), tail: &tail{}, cage: l.cage}
	argv, pidFile := l.argv, ""
	if l.cage != nil || l.sync > 0 {
		self, err := os.Executable()
		if err != nil {
			return nil, err
		}
		pidFile = l.log + ".pid"
		if err := os.Remove(pidFile); err != nil && !errors.Is(err, os.ErrNotExist) {
			return nil, err
		}
		enter := []string{self, enterCommand, pidFile}
		if l.cage != nil {
			enter = append(enter, l.cage.dirs...)
		}
		argv = append(append(enter, "--"), argv...)
	}
	if l.sync > 0 {
		strace, err := exec.LookPath("strace")
		if err != nil {
			return nil, errors.New("strace is needed to slow fsync down for -profile pi: apt-get install strace")
		}
		argv = append([]string{strace, "-f", "--seccomp-bpf", "-qq", "-o", "/dev/null", "-e", "trace=fsync,fdatasync",
			"-e", fmt.Sprintf("inject=fsync,fdatasync:delay_exit=%d", l.sync.Microseconds())}, argv...)
	}
	log, err := os.OpenFile(l.log, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o644)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	p.cmd = exec.Command(argv[0], argv[1:]...)
	p.cmd.Stdout = l.out
	p.cmd.Stderr = log
	p.tail.file = l.log
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	p.started = monotonic()
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", l.name, err)
	}
	p.pid = p.cmd.Process.Pid
	go func() {
		p.err = p.cmd.Wait()
		close(p.done)
	}()
	if pidFile == "" {
		return p, nil
	}
	deadline := time.Now().Add(10 * time.Second)
	for {
		b, err := os.ReadFile(pidFile)
		if f := strings.Fields(string(b)); err == nil && len(f) == 2 && bytes.HasSuffix(b, []byte("\n")) {
			pid, err1 := strconv.Atoi(f[0])
			at, err2 := strconv.ParseInt(f[1], 10, 64)
			if err := errors.Join(err1, err2); err != nil {
				return nil, errors.Join(err, p.stop(time.Second))
			}
			p.pid, p.started = pid, time.Duration(at)
			return p, nil
		}
		select {
		case <-p.done:
			return nil, fmt.Errorf("start %s: %v: %s", l.name, p.err, p.tail)
		case <-time.After(time.Millisecond):
		}
		if time.Now().After(deadline) {
			return nil, errors.Join(fmt.Errorf("start %s: it has not begun in 10 s: %s", l.name, p.tail), p.stop(time.Second))
		}
	}
}

// alive says whether the child still runs.
func (p *process) alive() bool {
	select {
	case <-p.done:
		return false
	default:
		return true
	}
}

// stop asks the program to end, by its own number, and ends it if it has not after patience.
func (p *process) stop(patience time.Duration) error {
	if !p.alive() {
		return p.ended()
	}
	_ = syscall.Kill(p.pid, syscall.SIGTERM) // it may have gone in this moment
	select {
	case <-p.done:
	case <-time.After(patience):
		_ = syscall.Kill(p.pid, syscall.SIGKILL)
		if p.pid != p.cmd.Process.Pid {
			select { // a tracer ends with what it traces
			case <-p.done:
			case <-time.After(time.Second):
				_ = p.cmd.Process.Kill()
			}
		}
		<-p.done
		return fmt.Errorf("%s did not end within %s of SIGTERM", p.name, patience)
	}
	return p.ended()
}

func (p *process) ended() error {
	<-p.done
	if p.err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w: %s", p.name, p.err, p.tail)
}

// enterCommand is how the generator calls itself to put a program into a cage: inject enter PIDFILE [GROUP...] -- PROGRAM ARGS
const enterCommand = "enter"

// enter joins the groups, leaves its process number and the moment in pidFile, and becomes the program.
func enter(args []string) error {
	for i, a := range args {
		if a != "--" || i < 1 || i+1 == len(args) {
			continue
		}
		// When the tracer is killed the program must not live on without its slowed syncs.
		if err := unix.Prctl(unix.PR_SET_PDEATHSIG, uintptr(syscall.SIGKILL), 0, 0, 0); err != nil {
			return err
		}
		for _, group := range args[1:i] {
			if err := write(group, "cgroup.procs", "0"); err != nil {
				return err
			}
		}
		text := fmt.Sprintf("%d %d\n", os.Getpid(), monotonic())
		if err := os.WriteFile(args[0], []byte(text), 0o644); err != nil {
			return err
		}
		path, err := exec.LookPath(args[i+1])
		if err != nil {
			return err
		}
		return syscall.Exec(path, args[i+1:], os.Environ())
	}
	return errors.New("use: inject enter PIDFILE [GROUP...] -- PROGRAM [ARGS...]")
}

// monotonic is the machine's monotonic clock, the same in all processes.
func monotonic() time.Duration {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts); err != nil {
		return 0
	}
	return time.Duration(ts.Nano())
}

// A tail is the end of a child's log, for messages.
type tail struct{ file string }

func (t *tail) String() string {
	b, err := os.ReadFile(t.file)
	if err != nil {
		return "no log: " + err.Error()
	}
	const most = 600
	b = bytes.TrimSpace(b)
	if len(b) > most {
		b = b[len(b)-most:]
	}
	if len(b) == 0 {
		return "it said nothing"
	}
	return string(b)
}

// firstLine is a writer that hands over the first line written to it.
type firstLine struct {
	mu   sync.Mutex
	buf  []byte
	line chan string
}

func newFirstLine() *firstLine { return &firstLine{line: make(chan string, 1)} }

func (f *firstLine) Write(p []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.buf == nil || !bytes.ContainsRune(f.buf, '\n') {
		f.buf = append(f.buf, p...)
		if l, _, ok := bytes.Cut(f.buf, []byte("\n")); ok {
			f.line <- string(l)
		}
	}
	return len(p), nil
}

func (f *firstLine) wait(ctx context.Context, p *process) (string, error) {
	select {
	case l := <-f.line:
		return strings.TrimSpace(l), nil
	case <-p.done:
		select {
		case l := <-f.line: // it said it and went
			return strings.TrimSpace(l), nil
		default:
		}
		return "", fmt.Errorf("%s ended: %v: %s", p.name, p.err, p.tail)
	case <-ctx.Done():
		return "", fmt.Errorf("%s has not said its address: %w", p.name, context.Cause(ctx))
	}
}

// program finds a command of this repository: the file given, else one beside the generator, else it is built into dir.
func program(given, name, pkg, dir string) (string, error) {
	if given != "" {
		return filepath.Abs(given)
	}
	if self, err := os.Executable(); err == nil {
		beside := filepath.Join(filepath.Dir(self), name)
		if info, err := os.Stat(beside); err == nil && !info.IsDir() {
			return beside, nil
		}
	}
	out := filepath.Join(dir, name)
	build := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", out, pkg) // as make build does
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if b, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build %s: %w: %s", pkg, err, bytes.TrimSpace(b))
	}
	return out, nil
}
