package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

const bundleConfig = `site: {id: bistro-1, name: Bistro, timezone: Europe/Paris, currency: EUR, language: en}
data: {dir: %q}
http: {listen: %q, tokens_file: %q}
printers: [{name: grill, connect: "tcp:%s", model: epson-tm-t88}]
screens: [{name: screen-%d}]
stations: [{name: grill, printers: [grill], screens: [screen-%d], default: true}]
`

// technician is a box in real processes with somebody who brings it bundles.
type technician struct {
	t                       *testing.T
	bin, dir, listen, token string
	grill                   paperPrinter
	box                     *program
}

// aboyeur runs one command and gives its exit code and what it said.
func (k *technician) aboyeur(args ...string) (int, string) {
	k.t.Helper()
	out, err := exec.Command(k.bin, args...).CombinedOutput()
	if _, ok := err.(*exec.ExitError); err != nil && !ok {
		k.t.Fatalf("aboyeur %s: %v", strings.Join(args, " "), err)
	}
	code := 0
	if err != nil {
		code = err.(*exec.ExitError).ExitCode()
	}
	return code, string(out)
}

func (k *technician) must(args ...string) string {
	k.t.Helper()
	code, said := k.aboyeur(args...)
	if code != 0 {
		k.t.Fatalf("aboyeur %s: exit %d\n%s", strings.Join(args, " "), code, said)
	}
	return said
}

func (k *technician) path(name string) string { return filepath.Join(k.dir, name) }

// pack makes a bundle whose printer is at that address. Its number is in a screen's name too.
func (k *technician) pack(number int, printer string) string {
	k.t.Helper()
	config := fmt.Sprintf(bundleConfig, k.path("data"), k.listen, k.path("tokens"), printer, number, number)
	if err := os.WriteFile(k.path("box.yaml"), []byte(config), 0o600); err != nil {
		k.t.Fatal(err)
	}
	file := k.path(fmt.Sprintf("b%d.aboyeur", number))
	k.must("bundle", "pack", "--key", k.path("keys/office.key"), "--site", "bistro-1", "--number", strconv.Itoa(number), "--out", file, k.path("box.yaml"))
	return file
}

func (k *technician) applyArgs(file string, more ...string) []string {
	return append([]string{"bundle", "apply", "--firmware", k.path("firmware"), "--trust", k.path("trust.d"), "--box", k.path("words"), "--claim"}, append(more, file)...)
}

func (k *technician) start(trial time.Duration) {
	k.t.Helper()
	k.box = launch(k.t, false, k.bin, "run", "--config", k.path("none.yaml"), "--firmware", k.path("firmware"), "--trial", trial.String())
}

func (k *technician) hangup() {
	k.t.Helper()
	if err := k.box.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		k.t.Fatal(err)
	}
}

var bundleNumber = regexp.MustCompile(`(?m)^aboyeur_config_bundle_number (\d+)$`)

// number is the box's own figure of the bundle in force, -1 while it does not answer.
func (k *technician) number() int {
	m := bundleNumber.FindSubmatch(k.metrics())
	if m == nil {
		return -1
	}
	n, _ := strconv.Atoi(string(m[1]))
	return n
}

// metrics are the box's figures, nil while it does not answer.
func (k *technician) metrics() []byte {
	ctx, cancel := context.WithTimeout(k.t.Context(), 10*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+k.listen+"/metrics", nil)
	if err != nil {
		k.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+k.token)
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return nil
	}
	return text
}

func (k *technician) wait(what string, holds func() bool) {
	k.t.Helper()
	for end := time.Now().Add(time.Minute); !holds(); {
		if time.Now().After(end) {
			k.t.Fatalf("waited in vain until %s\n%s", what, k.box.log)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func (k *technician) onPaper(text string) func() bool {
	return func() bool {
		for _, p := range k.grill.pieces(k.t) {
			if strings.Contains(strings.Join(strings.Fields(p.Text), " "), text) {
				return true
			}
		}
		return false
	}
}

func newTechnician(t *testing.T) *technician {
	t.Helper()
	if testing.Short() {
		t.Skip("starts processes; not in -short")
	}
	k := &technician{t: t, bin: buildBinary(t), dir: t.TempDir()}
	k.grill = launchPrinter(t, k.bin, k.dir, "grill", "--model", "epson-tm-t88", "--speed", "2000", "--cut-time", "1ms")
	k.listen = freeAddress(t)
	k.must("bundle", "keygen", k.path("keys"))
	out, err := exec.Command(k.bin, "token", "add", "--file", k.path("tokens"), "--role", "admin", "--name", "test").Output()
	if err != nil {
		t.Fatal(err)
	}
	k.token = string(bytes.TrimSpace(out))
	return k
}

// TestBundleLife goes the technician's way with the real program: an empty box waits, its first bundle claims it, a good one
// follows it, a bad one is given back; the printer tells of each.
func TestBundleLife(t *testing.T) {
	k := newTechnician(t)
	wrong := freeAddress(t) // nobody listens there

	k.start(defaultTrial)
	k.wait("the box waits for a bundle", func() bool { return strings.Contains(k.box.log.String(), "waiting for the first bundle") })
	k.must(k.applyArgs(k.pack(1, k.grill.address))...)
	k.hangup()
	k.wait("bundle 1 is in force", func() bool { return k.number() == 1 })
	k.wait("the slip is printed", k.onPaper("Bundle 1 is in force"))
	if !k.onPaper("printer grill up")() || !k.onPaper("The box now trusts key")() {
		t.Errorf("the slip does not say what is up and whom the box trusts: %+v", k.grill.pieces(t))
	}
	k.must(k.applyArgs(k.pack(2, k.grill.address))...)
	k.hangup()
	k.wait("bundle 2 is in force", func() bool { return k.number() == 2 })
	k.wait("the slip says so", k.onPaper("Bundle 2 is in force"))

	// SIGTERM ends it in order, and it comes up again where it was. What comes now is bad and may be found so soon.
	if err := k.box.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	<-k.box.done
	if code := k.box.cmd.ProcessState.ExitCode(); code != 0 {
		t.Errorf("SIGTERM: exit %d\n%s", code, k.box.log)
	}
	k.start(8 * time.Second)
	k.wait("bundle 2 is in force", func() bool { return k.number() == 2 })
	k.wait("the printer is up", func() bool { return bytes.Contains(k.metrics(), []byte("aboyeur_printer_up{printer=\"grill\"} 1")) })

	// A printer that was up is not: the box goes back by itself, and says so to who waits.
	said := make(chan string, 1)
	bad := k.applyArgs(k.pack(3, wrong), "--wait", "2m")
	go func() {
		code, text := k.aboyeur(bad...)
		said <- fmt.Sprint(code, " ", text)
	}()
	k.wait("bundle 3 is laid in", func() bool {
		text, err := os.ReadFile(k.path("firmware/applied"))
		return err == nil && string(text) == "3\n"
	})
	k.hangup()
	if text := <-said; !strings.HasPrefix(text, "2 ") || !strings.Contains(text, "refused: returned: bundle 3 was not healthy: was up before and is not: printer grill") {
		t.Errorf("who brought bundle 3 was told %q", text)
	}
	k.wait("bundle 2 is back", func() bool { return k.number() == 2 })
	k.wait("the slip says so", k.onPaper("Bundle 3 was not healthy"))
	code, text := k.aboyeur(k.applyArgs(k.path("b3.aboyeur"))...)
	if code != exitRefused || !strings.Contains(text, "same_number") {
		t.Errorf("the bad bundle again: exit %d, %s", code, text)
	}
	k.wait("the audit log has it", func() bool { return k.audit("bundle_confirmed") && k.audit("bundle_returned") })
}

func (k *technician) audit(act string) bool {
	r, err := http.NewRequestWithContext(k.t.Context(), http.MethodGet, "http://"+k.listen+"/v1/audit?limit=50", nil)
	if err != nil {
		k.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+k.token)
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return false
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	return err == nil && strings.Contains(string(text), act)
}

// TestBundleKill kills the program that applies a bundle, and the service that tries it, at any moment, and holds each start
// to N or N+1 as a whole.
func TestBundleKill(t *testing.T) {
	k := newTechnician(t)
	k.must(k.applyArgs(k.pack(1, k.grill.address))...)
	before, next := 1, 2
	rounds, took, landed := 9, 40*time.Millisecond, map[string]int{}
	for round := range rounds {
		file := k.pack(next, k.grill.address)
		if round%3 == 2 { // undisturbed: the service is killed instead
			if code, said := k.aboyeur(k.applyArgs(file)...); code != 0 && !strings.Contains(said, "trial_running") && !strings.Contains(said, "same_number") {
				t.Fatalf("round %d: %s", round, said)
			}
		} else {
			began := time.Now()
			apply := exec.Command(k.bin, k.applyArgs(file)...)
			if err := apply.Start(); err != nil {
				t.Fatal(err)
			}
			kill := time.AfterFunc(rand.N(took), func() { _ = apply.Process.Kill() })
			if apply.Wait() == nil {
				took = time.Since(began)
			}
			kill.Stop()
		}
		k.start(12 * time.Second)
		if round%2 == 1 { // the power goes while the bundle is on trial, or just coming up
			time.Sleep(rand.N(150 * time.Millisecond))
			k.box.kill()
			k.start(12 * time.Second)
		}
		var number int
		k.wait("the box is up", func() bool { number = k.number(); return number > 0 })
		if number != before && number != next {
			t.Fatalf("round %d: bundle %d is in force, want %d or %d\n%s", round, number, before, next, k.box.log)
		}
		text, err := os.ReadFile(k.path("firmware/state.json"))
		if err != nil {
			t.Fatal(err)
		}
		slot := regexp.MustCompile(`"slot": "([ab])"`).FindSubmatch(text)
		config, err := os.ReadFile(k.path("firmware/" + string(slot[1]) + "/box.yaml"))
		if err != nil || !strings.Contains(string(config), fmt.Sprintf("screen-%d}", number)) {
			t.Fatalf("round %d: the configuration of bundle %d is %q, %v", round, number, config, err)
		}
		landed[fmt.Sprint("N+", number-before)]++
		k.wait("the box has judged it", func() bool {
			text, err := os.ReadFile(k.path("firmware/state.json"))
			return err == nil && !bytes.Contains(text, []byte(`"trial"`))
		})
		k.box.kill()
		before, next = number, max(number+1, next)
		if number == next {
			next++
		}
	}
	t.Logf("the kills left %v", landed)
}
