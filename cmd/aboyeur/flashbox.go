package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"aboyeur/firmware-config/slot"
	"aboyeur/firmware-config/stick"
)

// judged is how long a bundle from a stick may take to be found healthy or not.
const judged = 150 * time.Second

// flashBox is what a box does when a stick is put in: systemd calls it with the stick's device. It copies first and acts on
// the copy, so that the stick may be pulled out at any moment.
func flashBox(ctx context.Context, std stdio, flags *flag.FlagSet, args []string) error {
	device := flags.String("device", "", "the stick's device, as in /dev/sda1; it is mounted read-only for a moment")
	dir := flags.String("dir", "", "instead: where the stick is mounted already")
	firmware := flags.String("firmware", slot.DefaultDir, "the box's folder of bundles")
	trust := flags.String("trust", slot.DefaultTrust, "folder of the public keys it believes")
	words := flags.String("box", slot.DefaultBox, "folder of the image's own words")
	as := flags.String("user", "", "user who applies the bundle, as in aboyeur")
	wait := flags.Duration("wait", judged, "wait this long for the service to judge it")
	if err := parse(std, flags, args, 0, 0); err != nil {
		return err
	}
	if (*device == "") == (*dir == "") {
		fmt.Fprintln(std.err, "aboyeur flash box: give --device or --dir")
		return errUsage
	}
	scratch, err := os.MkdirTemp("", "aboyeur-stick-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(scratch)
	if err := os.Chmod(scratch, 0o755); err != nil {
		return err
	}
	at := func(writable bool, do func(dir string) error) error {
		if *dir != "" {
			return do(*dir)
		}
		return mounted(*device, filepath.Join(scratch, "stick"), writable, do)
	}
	var found []stick.Found
	err = at(false, func(dir string) (err error) {
		found, err = stick.Look(dir)
		return err
	})
	if err != nil {
		return fmt.Errorf("read the stick: %w", err)
	}
	apply := func(file string) (string, error) {
		args := []string{"bundle", "apply", "--way", "stick", "--firmware", *firmware, "--trust", *trust, "--box", *words, "--wait", wait.String(), file}
		return own(ctx, *as, args...)
	}
	var outcomes []stick.Outcome
	taken := false
	for i, f := range found {
		o := stick.Outcome{Name: f.Name}
		file := filepath.Join(scratch, fmt.Sprintf("bundle-%d", i))
		switch {
		case taken:
			o.Text = "not looked at: a newer one was taken"
		case f.Err != nil:
			o.Text = "refused: " + f.Err.Error()
		default:
			// One at a time: the scratch folder may lie in memory.
			err := at(false, func(dir string) error { return stick.Fetch(dir, f.Name, file) })
			if err != nil {
				o.Text = "could not be copied: " + err.Error()
				break
			}
			o.Text, err = apply(file)
			taken = err == nil
			if err := os.Remove(file); err != nil {
				return err
			}
		}
		fmt.Fprintf(std.out, "%s: %s\n", o.Name, o.Text)
		outcomes = append(outcomes, o)
	}
	if len(found) == 0 {
		return nil // somebody's stick with somebody's files: none of a box's business
	}
	name := "box"
	if store, err := slot.Open(slot.Config{Dir: *firmware, Trust: *trust, Box: *words}); err == nil {
		if st, err := store.Status(); err == nil && st.Site != "" {
			name = st.Site
		}
		store.Close()
	}
	result := stick.Result(name, version, time.Now(), outcomes)
	if err := at(true, func(dir string) error { return stick.Leave(dir, name, result) }); err != nil {
		fmt.Fprintf(std.err, "aboyeur flash box: the result is not on the stick: %v\n", err)
	}
	if !taken {
		return errRefused
	}
	return nil
}

// errRefused says that nothing was taken; the reasons are said already.
var errRefused = fmt.Errorf("no bundle was taken: %w", errUsage)

// own runs this program once more, as another user if one is named, and gives what it said.
func own(ctx context.Context, as string, args ...string) (string, error) {
	self, err := os.Executable()
	if err != nil {
		return err.Error(), err
	}
	command := exec.CommandContext(ctx, self, args...)
	var said bytes.Buffer
	limited := &bounded{w: &said, left: 16 << 10}
	command.Stdout, command.Stderr = limited, limited
	if as != "" {
		u, err := user.Lookup(as)
		if err != nil {
			return err.Error(), err
		}
		uid, err := strconv.ParseUint(u.Uid, 10, 32)
		if err != nil {
			return err.Error(), err
		}
		gid, err := strconv.ParseUint(u.Gid, 10, 32)
		if err != nil {
			return err.Error(), err
		}
		command.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
	}
	err = command.Run()
	text := strings.TrimSpace(said.String())
	if text == "" && err != nil {
		text = err.Error()
	}
	return text, err
}

// bounded drops what goes beyond its limit.
type bounded struct {
	w    io.Writer
	left int
}

func (b *bounded) Write(p []byte) (int, error) {
	n := min(len(p), b.left)
	b.left -= n
	if _, err := b.w.Write(p[:n]); err != nil {
		return 0, err
	}
	return len(p), nil
}

// mounted mounts a stick for as long as do takes. Nothing on it can be run, nor be a device or another user's program.
func mounted(device, at string, writable bool, do func(dir string) error) (err error) {
	if err := os.Mkdir(at, 0o755); err != nil && !errors.Is(err, os.ErrExist) {
		return err
	}
	unmount, err := mountStick(device, at, writable)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, unmount()) }()
	return do(at)
}
