//go:build linux

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
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"aboyeur/protocol/ifc"
)

// A hotel as a program: it says where it listens, in both dialects, charges a room of its file, fails on request, keeps
// its ledger, says goodbye and ends cleanly.
func TestSimulateOpera(t *testing.T) {
	dir := t.TempDir()
	hotel, ledger := filepath.Join(dir, "hotel.yaml"), filepath.Join(dir, "ledger")
	err := os.WriteFile(hotel, []byte("rooms: ['12']\nguests: [{reservation: '7', room: '12', name: Léa}]\n"), 0o600)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	out, stdout := io.Pipe()
	var stderr bytes.Buffer
	exited := make(chan int, 1)
	go func() {
		exited <- runSimulate(ctx, stdio{strings.NewReader(""), stdout, &stderr}, []string{
			"opera", "--listen", "127.0.0.1:0", "--listen", "xmlpos=127.0.0.1:0", "--control", "127.0.0.1:0", "--hotel", hotel, "--ledger", ledger,
			"--encoding", "windows-1252", "--fault", "answer_lost,count=1", "--trace",
		})
		stdout.Close()
	}()
	line, err := bufio.NewReader(out).ReadBytes('\n')
	if err != nil {
		t.Fatalf("first line of output: %v; %s", err, &stderr)
	}
	var at operaAt
	if err := json.Unmarshal(line, &at); err != nil || at.Peer != "opera" || len(at.Links) != 2 || at.Links[0].Listen != at.Listen {
		t.Fatalf("first line %q: %v", line, err)
	}
	dial := func(address string) *ifc.Stream {
		t.Helper()
		raw, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		raw.SetDeadline(time.Now().Add(time.Minute))
		return ifc.NewTCP(raw, ifc.Options{})
	}
	till := dial(at.Listen)
	defer till.Close()
	// talk says records and expects the last answer to begin and go on as told.
	talk := func(c *ifc.Stream, say []string, hear int, begin, has string) {
		t.Helper()
		for _, r := range say {
			if err := c.Send(t.Context(), []byte(r)); err != nil {
				t.Fatal(err)
			}
		}
		var last []byte
		for range hear {
			var err error
			if last, err = c.Receive(context.Background()); err != nil {
				t.Fatalf("instead of %s: %v", begin, err)
			}
		}
		if !strings.HasPrefix(string(last), begin) || !strings.Contains(string(last), has) {
			t.Fatalf("heard %q, want %s with %q", last, begin, has)
		}
	}
	talk(till, nil, 1, "LS|", "")
	talk(till, []string{"LD|V#1|IFPO|", "LR|RIPR|FLPIP#WSPMRNG#GNTAC#|", "LR|RIPL|FLRNG#GNP#WS|", "LR|RIPA|FLASP#|", "LA|"}, 1, "LA|", "")
	talk(till, []string{"PR|PI12|P#1|WS1|PMROOM|"}, 1, "PL|", "RN12|G#7|GNL\xe9a|")
	charge := func(n string) string { return "PR|RN12|G#7|GN|TA500|C#9|P#" + n + "|WS1|PMROOM|" }
	talk(till, []string{charge("2"), charge("3")}, 1, "PA|", "ASOK|P#3|") // the first answer is lost

	spa := dial(at.Links[1].Listen)
	defer spa.Close()
	talk(spa, []string{`<LinkDescription Date="250301" Time="120000" VerNum="1.0" />`}, 1, "<LinkAlive ", "")

	w, err := http.Get("http://" + at.Control + "/ledger")
	if err != nil {
		t.Fatal(err)
	}
	over, _ := io.ReadAll(w.Body)
	w.Body.Close()
	http.DefaultClient.CloseIdleConnections()

	stop()
	talk(till, nil, 1, "LE|", "")
	talk(till, []string{"LE|"}, 0, "", "")
	if code := <-exited; code != exitOK {
		t.Errorf("exit %d: %s", code, &stderr)
	}
	file, err := os.ReadFile(ledger)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(file, over) || bytes.Count(file, []byte("\n")) != 2 || !bytes.Contains(file, []byte(`"number":2,`)) {
		t.Errorf("ledger %s\nover HTTP %s", file, over)
	}
	if !strings.Contains(stderr.String(), " < "+charge("2")) {
		t.Errorf("trace: %s", &stderr)
	}
}

// The same on a serial line: here one end of a pseudo-terminal.
func TestSimulateOperaSerial(t *testing.T) {
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK, 0)
	if err != nil {
		t.Skipf("no pseudo-terminals here: %v", err)
	}
	raw, err := master.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var n int
	raw.Control(func(fd uintptr) {
		if err = unix.IoctlSetPointerInt(int(fd), unix.TIOCSPTLCK, 0); err == nil {
			n, err = unix.IoctlGetInt(int(fd), unix.TIOCGPTN)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	out, stdout := io.Pipe()
	var stderr bytes.Buffer
	exited := make(chan int, 1)
	go func() {
		exited <- runSimulate(ctx, stdio{strings.NewReader(""), stdout, &stderr}, []string{
			"opera", "--serial", fmt.Sprintf("/dev/pts/%d", n), "--baud", "38400", "--parity", "even", "--end-wait", "-1s",
		})
		stdout.Close()
	}()
	line, err := bufio.NewReader(out).ReadBytes('\n')
	if err != nil {
		t.Fatalf("first line of output: %v; %s", err, &stderr)
	}
	var at operaAt
	if err := json.Unmarshal(line, &at); err != nil || len(at.Links) != 1 || at.Links[0].Serial == "" {
		t.Fatalf("first line %q: %v", line, err)
	}
	till := ifc.NewSerial(master, ifc.Options{})
	defer till.Close()
	wait, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	if r, err := till.Receive(wait); err != nil || !strings.HasPrefix(string(r), "LS|") {
		t.Fatalf("heard %q, %v", r, err)
	}
	for _, r := range []string{"LD|V#1|IFPO|", "LR|RIPA|FLASP#|", "LA|"} {
		if err := till.Send(wait, []byte(r)); err != nil {
			t.Fatal(err)
		}
	}
	if r, err := till.Receive(wait); err != nil || !strings.HasPrefix(string(r), "LA|") {
		t.Fatalf("heard %q, %v", r, err)
	}
	stop()
	if code := <-exited; code != exitOK {
		t.Errorf("exit %d: %s", code, &stderr)
	}
}
