package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestSimulateScripts runs testdata/simulate/*.txt with two commands: simulate ARGS, which is to exit with 0, and
// simulate-exits CODE ARGS.
func TestSimulateScripts(t *testing.T) {
	run := func(ts *testscript.TestScript, want int, args []string) {
		ctx, cancel := context.WithCancel(context.Background())
		cancel() // what is accepted by mistake ends at once
		if got := runSimulate(ctx, stdio{strings.NewReader(""), ts.Stdout(), ts.Stderr()}, args); got != want {
			ts.Fatalf("exit %d, want %d", got, want)
		}
	}
	testscript.Run(t, testscript.Params{
		Dir: "testdata/simulate",
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"simulate": func(ts *testscript.TestScript, _ bool, args []string) { run(ts, exitOK, args) },
			"simulate-exits": func(ts *testscript.TestScript, _ bool, args []string) {
				code, err := strconv.Atoi(args[0])
				ts.Check(err)
				run(ts, code, args[1:])
			},
		},
	})
}

// A printer as a program: it says where it listens, prints, fails on request, writes its ledger, and ends cleanly.
func TestSimulatePrinter(t *testing.T) {
	ledger := filepath.Join(t.TempDir(), "ledger")
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	out, stdout := io.Pipe()
	var stderr bytes.Buffer
	exited := make(chan int, 1)
	go func() {
		exited <- runSimulate(ctx, stdio{strings.NewReader(""), stdout, &stderr}, []string{
			"printer", "--listen", "127.0.0.1:0", "--control", "127.0.0.1:0", "--ledger", ledger, "--no-fence", "--serial", "X77",
			"--fault", "paper_out@9",
		})
		stdout.Close()
	}()
	line, err := bufio.NewReader(out).ReadBytes('\n')
	if err != nil {
		t.Fatalf("first line of output: %v; %s", err, &stderr)
	}
	var at simulatedAt
	if err := json.Unmarshal(line, &at); err != nil || at.Peer != "printer" {
		t.Fatalf("first line %q: %v", line, err)
	}

	conn, err := net.Dial("tcp", at.Listen)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(time.Minute))
	say := func(s, want string) {
		t.Helper()
		fmt.Fprint(conn, s)
		got := make([]byte, len(want))
		if _, err := io.ReadFull(conn, got); err != nil || string(got) != want {
			t.Fatalf("%q answered by %q, %v; want %q", s, got, err, want)
		}
	}
	say("\x1b@\x1dIDone\ntwo\nEND 7\n", "_X77\x00")
	say("\x10\x04\x04", "\x72")
	if w, err := http.Post("http://"+at.Control+"/lift", "application/json", strings.NewReader(`{"kind":"paper_out"}`)); err != nil || w.StatusCode != http.StatusNoContent {
		t.Fatalf("lift: %v %v", w, err)
	} else {
		w.Body.Close()
	}
	say("\x1dr\x01\x1dVB\x00\x1d(H\x06\x0000abcd", "7\x22abcd\x00") // no answer to GS r
	say("left\n\x1d(H\x06\x0000abce", "7\x22abce\x00")

	stop()
	if code := <-exited; code != exitOK {
		t.Errorf("exit %d: %s", code, &stderr)
	}
	http.DefaultClient.CloseIdleConnections()
	b, err := os.ReadFile(ledger)
	if err != nil {
		t.Fatal(err)
	}
	var tickets []struct {
		Text     string
		Sequence int
		Partial  bool
	}
	for line := range bytes.Lines(b) {
		tickets = append(tickets, struct {
			Text     string
			Sequence int
			Partial  bool
		}{})
		if err := json.Unmarshal(line, &tickets[len(tickets)-1]); err != nil {
			t.Fatal(err)
		}
	}
	if got, want := fmt.Sprint(tickets), "[{one\ntwo\nEND 7\n 7 false} {left\n 0 true}]"; got != want {
		t.Errorf("ledger = %s, want %s", got, want)
	}
}
