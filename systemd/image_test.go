package systemd_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// What an image adds to Debian and the package: its units are what systemd takes, its scripts what a shell takes.
func TestImageFiles(t *testing.T) {
	const files = "image/files/usr/lib"
	for _, script := range []string{files + "/aboyeur/first-boot", files + "/aboyeur/grow", files + "/aboyeur/system"} {
		if out, err := exec.Command("sh", "-n", script).CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", script, err, out)
		}
	}
	for _, line := range strings.Split(strings.TrimSpace(read(t, "image/files/etc/fstab")), "\n") {
		if n := len(strings.Fields(line)); !strings.HasPrefix(line, "#") && n != 6 {
			t.Errorf("fstab: %q has %d fields, not 6", line, n)
		}
	}
	need(t, "systemd-analyze")
	dir := t.TempDir()
	args := []string{"verify", "--man=no"}
	for _, name := range []string{"aboyeur-first-boot.service", "aboyeur-grow.service"} {
		unit := filepath.Join(dir, name)
		text := programs.ReplaceAllString(read(t, files+"/systemd/system/"+name), "${1}/bin/true")
		if err := os.WriteFile(unit, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		args = append(args, unit)
	}
	out, err := exec.Command("systemd-analyze", args...).CombinedOutput()
	for line := range strings.Lines(string(out)) {
		if strings.Contains(line, "aboyeur") {
			t.Errorf("%v: %s", err, strings.TrimSpace(line))
		}
	}
}

// The names of partitions are the same in the table, the mounts, the boot entry and the script that exchanges systems.
func TestImagePartitions(t *testing.T) {
	build := read(t, "image/build.sh")
	for _, name := range []string{"esp", "system-a", "system-b", "data"} {
		if !strings.Contains(build, "name="+name+"\n") {
			t.Errorf("build.sh makes no partition %s", name)
		}
	}
	fstab := read(t, "image/files/etc/fstab")
	for _, want := range []string{"PARTLABEL=data   /var", "PARTLABEL=esp    /efi", "/var/etc/aboyeur /etc/aboyeur"} {
		if !strings.Contains(fstab, want) {
			t.Errorf("fstab lacks %q", want)
		}
	}
	if !strings.Contains(build, "root=PARTLABEL=system-a") || !strings.Contains(build, "aboyeur.system=a") {
		t.Error("the boot entry does not name its system")
	}
}
