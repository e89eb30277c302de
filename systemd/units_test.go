// Package systemd_test holds the units and rules of this folder to what systemd itself says of them.
package systemd_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// need skips by name where a program of systemd is missing.
func need(t *testing.T, program string) {
	t.Helper()
	if _, err := exec.LookPath(program); err != nil {
		t.Skipf("%s is not installed here", program)
	}
}

func units(t *testing.T) []string {
	t.Helper()
	var all []string
	for _, pattern := range []string{"*.service", "*.path", "*.target", "*.timer"} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, found...)
	}
	if len(all) < 6 {
		t.Fatalf("found %d units; there are more", len(all))
	}
	return all
}

func read(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// instances names a template as systemd would start it.
var instances = map[string]string{"aboyeur-flash@.service": "aboyeur-flash@sda1.service", "aboyeur-cable@.service": "aboyeur-cable@ttyGS0.service"}

// programs that a package brings and this machine does not have.
var programs = regexp.MustCompile(`(?m)^(Exec\w+=[-+!:]*)(/usr/bin/(?:aboyeur|cage|chromium)|/usr/lib/aboyeur/\S+)`)

func TestUnitsVerify(t *testing.T) {
	need(t, "systemd-analyze")
	dir := t.TempDir()
	args := []string{"verify", "--man=no"}
	for _, name := range units(t) {
		text := programs.ReplaceAllString(read(t, name), "${1}/bin/true")
		if one, ok := instances[name]; ok {
			name = one
		}
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		args = append(args, path)
	}
	command := exec.Command("systemd-analyze", args...)
	command.Env = append(os.Environ(), "SYSTEMD_LOG_LEVEL=warning")
	out, err := command.CombinedOutput()
	for line := range strings.Lines(string(out)) {
		// What this machine's own units say is not about ours.
		if strings.Contains(line, "aboyeur") || strings.Contains(line, dir) {
			t.Error(strings.TrimSpace(line))
		}
	}
	if err != nil && t.Failed() {
		t.Errorf("systemd-analyze verify: %v", err)
	}
}

// A kind of device whose driver is a module is known to systemd once that is loaded, and DeviceAllow passes over what is not
// known: the unit must have it loaded first.
func TestDriversBeforeDevices(t *testing.T) {
	unit := read(t, "aboyeur.service")
	for kind, driver := range map[string]string{"char-ttyUSB": "usbserial", "char-ttyACM": "cdc_acm"} {
		for _, want := range []string{"DeviceAllow=" + kind + " rw\n", "Wants=modprobe@", "After=modprobe@"} {
			found := false
			for line := range strings.Lines(unit) {
				found = found || strings.HasPrefix(line, want) && (!strings.Contains(want, "modprobe") || strings.Contains(line, "modprobe@"+driver+".service"))
			}
			if !found {
				t.Errorf("%s: aboyeur.service has no %s of %s", kind, strings.TrimSpace(want), driver)
			}
		}
	}
}

var exposure = regexp.MustCompile(`Overall exposure level for \S+: ([0-9.]+)`)

// TestExposure holds each service to a figure of systemd-analyze security; 2.0 is the limit for what talks to the network.
func TestExposure(t *testing.T) {
	need(t, "systemd-analyze")
	for name, most := range map[string]float64{"aboyeur.service": 2.0, "aboyeur-cable@.service": 1.5, "aboyeur-flash@.service": 2.5} {
		out, err := exec.Command("systemd-analyze", "security", "--offline=true", "./"+name).CombinedOutput()
		m := exposure.FindSubmatch(out)
		if err != nil || m == nil {
			t.Errorf("systemd-analyze security %s: %v\n%s", name, err, out)
			continue
		}
		got, err := strconv.ParseFloat(string(m[1]), 64)
		if err != nil || got > most {
			t.Errorf("%s: exposure %s, at most %.1f wanted", name, m[1], most)
		}
		t.Logf("%s: exposure %s", name, m[1])
	}
}

// Every word of a rule is one that udev knows. udevadm verify is younger than Debian 12.
var rule = regexp.MustCompile(`^(?:ACTION|SUBSYSTEMS?|KERNELS?|DRIVERS?|ATTRS?\{[\w/]+\}|ENV\{\w+\}|TAGS?|GROUP|MODE|OWNER|SYMLINK|NAME|RUN|IMPORT\{\w+\}|GOTO|LABEL|PROGRAM|RESULT|TEST|OPTIONS)(?:==|!=|=|\+=|-=|:=)"[^"]*"$`)

func TestRules(t *testing.T) {
	names, err := filepath.Glob("*.rules")
	if err != nil || len(names) == 0 {
		t.Fatalf("no rules: %v", err)
	}
	for _, name := range names {
		text := strings.ReplaceAll(read(t, name), "\\\n", "")
		for n, line := range strings.Split(text, "\n") {
			if line = strings.TrimSpace(line); line == "" || strings.HasPrefix(line, "#") {
				continue
			}
			for _, word := range regexp.MustCompile(`,\s*`).Split(line, -1) {
				if !rule.MatchString(word) {
					t.Errorf("%s:%d: %q is no word of a rule", name, n+1, word)
				}
			}
			for _, m := range regexp.MustCompile(`aboyeur-\w+@`).FindAllString(line, -1) {
				if !slices.Contains(units(t), m+".service") {
					t.Errorf("%s:%d: there is no unit %s.service", name, n+1, m)
				}
			}
		}
		if _, err := exec.LookPath("udevadm"); err != nil || !strings.Contains(help(), "verify") {
			t.Log("udevadm verify is not here")
			continue
		}
		if out, err := exec.Command("udevadm", "verify", "--no-style", name).CombinedOutput(); err != nil {
			t.Errorf("udevadm verify %s: %v\n%s", name, err, out)
		}
	}
}

func help() string {
	out, _ := exec.Command("udevadm", "--help").CombinedOutput()
	return string(out)
}

// The users and folders are what systemd-sysusers and systemd-tmpfiles take, tried in an empty root.
func TestUsersAndFolders(t *testing.T) {
	need(t, "systemd-sysusers")
	need(t, "systemd-tmpfiles")
	if os.Getuid() != 0 {
		t.Skip("making users in a root of its own needs root")
	}
	root := t.TempDir()
	if err := os.MkdirAll(filepath.Join(root, "etc"), 0o755); err != nil {
		t.Fatal(err)
	}
	for file, text := range map[string]string{"etc/group": "root:x:0:\ndialout:x:20:\nlp:x:7:\n", "etc/passwd": "root:x:0:0::/root:/bin/sh\n"} {
		if err := os.WriteFile(filepath.Join(root, file), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, command := range [][]string{
		{"systemd-sysusers", "--root=" + root, "sysusers.conf"},
		{"systemd-tmpfiles", "--root=" + root, "--create", "tmpfiles.conf"},
	} {
		path, err := filepath.Abs(command[len(command)-1])
		if err != nil {
			t.Fatal(err)
		}
		command[len(command)-1] = path
		if out, err := exec.Command(command[0], command[1:]...).CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", strings.Join(command, " "), err, out)
		}
	}
	if !strings.Contains(read(t, filepath.Join(root, "etc/passwd")), "aboyeur:x:") || !strings.Contains(read(t, filepath.Join(root, "etc/group")), "dialout:x:20:aboyeur") {
		t.Error("the user was not made, or may not use serial lines")
	}
	for folder, mode := range map[string]os.FileMode{"etc/aboyeur/trust.d": 0o755, "etc/aboyeur/secrets": 0o700, "var/lib/aboyeur": 0o750} {
		info, err := os.Stat(filepath.Join(root, folder))
		if err != nil || info.Mode().Perm() != mode {
			t.Errorf("%s: %v, %v, want %v", folder, info, err, mode)
		}
	}
}

// The gadget's script makes and takes away its tree; configfs is played by a folder here.
func TestGadget(t *testing.T) {
	config, udc := t.TempDir(), t.TempDir()
	run := func(act string) error {
		command := exec.Command("sh", "./gadget", act)
		command.Env = append(os.Environ(), "ABOYEUR_CONFIGFS="+config, "ABOYEUR_UDC="+udc)
		out, err := command.CombinedOutput()
		if err != nil {
			t.Logf("gadget %s: %s", act, out)
		}
		return err
	}
	if err := os.Mkdir(filepath.Join(config, "usb_gadget"), 0o755); err != nil {
		t.Fatal(err)
	}
	if run("up") == nil {
		t.Error("a board without a USB device port became a gadget")
	}
	if err := os.WriteFile(filepath.Join(udc, "fe980000.usb"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	config = t.TempDir() // a folder does not forget its files as configfs does
	if err := os.Mkdir(filepath.Join(config, "usb_gadget"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := run("up"); err != nil {
		t.Fatal(err)
	}
	g := filepath.Join(config, "usb_gadget/aboyeur")
	if got := read(t, filepath.Join(g, "UDC")); got != "fe980000.usb\n" {
		t.Errorf("it was put on %q", got)
	}
	if to, err := os.Readlink(filepath.Join(g, "configs/c.1/acm.GS0")); err != nil || to != filepath.Join(g, "functions/acm.GS0") {
		t.Errorf("its function is %q, %v", to, err)
	}
	if run("sideways") == nil {
		t.Error("gadget sideways is no act")
	}
}
