package journal_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"aboyeur/bridge/journal"
)

// The test binary is its own child: with this variable set it is a process that writes into the journal of a folder.
const (
	childRole = "ABOYEUR_JOURNAL_TEST_CHILD"
	childDir  = "ABOYEUR_JOURNAL_TEST_DIR"
)

func child(role string) int {
	own, err := os.ReadFile(filepath.Join("migrations", "0001_journal.sql"))
	if err != nil {
		fmt.Println(err)
		return 1
	}
	tables := fstest.MapFS{"migrations/0001_journal.sql": {Data: own}}
	j, err := journal.OpenTables(context.Background(), journal.Config{Dir: os.Getenv(childDir)}, tables)
	if err != nil {
		fmt.Println("open:", err)
		return 1
	}
	go j.Run(context.Background())
	switch role {
	case "stream": // until it is killed
		var one sync.Mutex
		var all sync.WaitGroup
		for g := range 8 {
			all.Go(func() {
				for n := 0; ; n++ {
					name := fmt.Sprintf("%d-%d-%d", os.Getpid(), g, n)
					if err := j.Write(context.Background(), threefold(name)); err != nil {
						fmt.Println("write:", err)
						os.Exit(1)
					}
					one.Lock()
					fmt.Println("ack", name)
					one.Unlock()
				}
			})
		}
		all.Wait()
	case "sync":
		for n := range 10 {
			mark("request", n)
			if err := j.Write(context.Background(), threefold(fmt.Sprint(n))); err != nil {
				fmt.Println("write:", err)
				return 1
			}
			mark("answer", n)
		}
	}
	return 0
}

// mark shows in the trace where the process is.
func mark(what string, n int) { os.Stdout.WriteString(what + " " + strconv.Itoa(n) + "\n") }

func childCommand(ctx context.Context, role, dir string, before ...string) *exec.Cmd {
	args := append(before, os.Args[0])
	c := exec.CommandContext(ctx, args[0], args[1:]...)
	c.Env = append(os.Environ(), childRole+"="+role, childDir+"="+dir, "GORACE=atexit_sleep_ms=0")
	return c
}

func TestKilledProcessKeepsWhatItAcknowledged(t *testing.T) {
	dir := t.TempDir()
	var acknowledged []string
	for round := range 5 {
		c := childCommand(t.Context(), "stream", dir)
		out, err := c.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		for n := 0; lines.Scan(); n++ {
			name, ok := strings.CutPrefix(lines.Text(), "ack ")
			if !ok {
				t.Errorf("the child says %q", lines.Text())
				continue
			}
			acknowledged = append(acknowledged, name)
			if n == 40+round*17 { // what it still says before it dies counts too
				c.Process.Kill()
			}
		}
		c.Wait()
	}
	verify(t, dir, acknowledged, acknowledged, nil)
	t.Logf("%d writes acknowledged by 5 killed processes", len(acknowledged))
}

// TestSyncComesBeforeTheAnswer looks at the system calls of a writing process: between a request and its answer lies a
// completed sync of the log, after the last write to it.
func TestSyncComesBeforeTheAnswer(t *testing.T) {
	strace, err := exec.LookPath("strace")
	if err != nil {
		t.Skip("strace is not installed; make test installs it")
	}
	dir := t.TempDir()
	trace := filepath.Join(t.TempDir(), "trace")
	c := childCommand(t.Context(), "sync", dir, strace, "-f", "--seccomp-bpf", "-y", "-e", "trace=fsync,fdatasync,write,pwrite64", "-o", trace)
	if out, err := c.CombinedOutput(); err != nil {
		if strings.Contains(string(out), "ptrace") {
			t.Skipf("this machine does not let strace work: %s", out)
		}
		t.Fatalf("%v: %s", err, out)
	}
	var (
		marker  = regexp.MustCompile(`write\(1<.*"(request|answer) (\d+)\\n"`)
		written = regexp.MustCompile(`pwrite64\(\d+<[^>]*journal\.db-wal>`)
		synced  = regexp.MustCompile(`^(\d+) +f(?:data)?sync\(\d+<[^>]*journal\.db-wal>(\) += 0| <unfinished)`)
		resumed = regexp.MustCompile(`^(\d+) +<\.\.\. f(?:data)?sync resumed>\) += 0`)
	)
	pending := map[string]bool{} // threads whose sync of the log has not returned
	state, answers := "", 0
	for line := range strings.Lines(string(readFile(t, trace))) {
		if m := marker.FindStringSubmatch(line); m != nil {
			if m[1] == "answer" {
				if answers++; state != "synced" {
					t.Errorf("answer %s came in state %q, want the log written and synced", m[2], state)
				}
			}
			state = m[1]
			continue
		}
		if written.MatchString(line) {
			state = "written"
		} else if m := synced.FindStringSubmatch(line); m != nil {
			if pending[m[1]] = strings.Contains(m[2], "unfinished"); !pending[m[1]] && state == "written" {
				state = "synced"
			}
		} else if m := resumed.FindStringSubmatch(line); m != nil && pending[m[1]] {
			if pending[m[1]] = false; state == "written" {
				state = "synced"
			}
		}
	}
	if answers != 10 {
		t.Errorf("%d answers in the trace, want 10", answers)
	}
	if t.Failed() {
		t.Logf("%s", readFile(t, trace))
	}
}
