package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"aboyeur/bridge/box"
)

const supportUsage = `aboyeur support [--config CONFIG] [--firmware DIR] FILE
Writes the support bundle, a .tar.gz, to FILE, whether the box runs or not: states, log, configuration without secrets, and
what aboyeur doctor finds. FILE must not exist. Names, numbers and secrets are taken out; look through it before you send it.
`

// runSupport writes a support bundle of a box, also of one that does not start.
func runSupport(ctx context.Context, std stdio, args []string) int {
	c, slots, file, code := journalFlags(std, "support", supportUsage, args)
	if c == nil {
		return code
	}
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		fmt.Fprintln(std.err, "aboyeur support:", err)
		return exitRefused
	}
	err = box.WriteSupport(ctx, c, version, slots, f,
		box.SupportPart{Name: "log.txt", Write: func(ctx context.Context, w io.Writer) error {
			text, err := systemLog(ctx)
			_, fault := io.WriteString(w, text)
			return errors.Join(fault, err)
		}})
	if fault := f.Close(); err == nil {
		err = fault
	}
	if err != nil {
		fmt.Fprintln(std.err, "aboyeur support:", errors.Join(err, os.Remove(file)))
		return exitFailed
	}
	fmt.Fprintf(std.err, "%s is written; look through it before you send it\n", file)
	return exitOK
}
