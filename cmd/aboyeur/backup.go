package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"time"

	firmwareconfig "aboyeur/firmware-config"

	"aboyeur/bridge/box"
	"aboyeur/firmware-config/slot"
)

const backupUsage = `aboyeur backup [--config CONFIG] [--firmware DIR] FILE
Copies the journal to FILE, while the box runs or not. FILE must not exist; guests' names are in it.
`

const restoreUsage = `aboyeur restore [--config CONFIG] [--firmware DIR] FILE
Makes FILE, a copy that aboyeur backup wrote, the journal. The box must be stopped; the former journal is kept beside it.
`

// runBackup copies the journal of a box, which may be running.
func runBackup(ctx context.Context, std stdio, args []string) int {
	c, _, file, code := journalFlags(std, "backup", backupUsage, args)
	if c == nil {
		return code
	}
	if err := box.Backup(ctx, c, file); err != nil {
		fmt.Fprintln(std.err, "aboyeur backup:", err)
		return exitRefused
	}
	fmt.Fprintf(std.err, "journal of %s copied to %s\n", c.Data.Dir, file)
	return exitOK
}

// runRestore makes a copy the journal of a box that does not run.
func runRestore(ctx context.Context, std stdio, args []string) int {
	c, _, file, code := journalFlags(std, "restore", restoreUsage, args)
	if c == nil {
		return code
	}
	aside, err := box.Restore(ctx, c, file, time.Now())
	if err != nil {
		fmt.Fprintln(std.err, "aboyeur restore:", err)
		if errors.Is(err, box.ErrRunning) {
			fmt.Fprintln(std.err, "stop the box first: systemctl stop aboyeur")
		}
		return exitRefused
	}
	fmt.Fprintf(std.err, "journal in %s restored from %s\n", c.Data.Dir, file)
	if aside != "" {
		fmt.Fprintf(std.err, "the former journal is kept as %s; remove it when it is not needed\n", aside)
	}
	fmt.Fprintln(std.err, "tickets that waited come under the REPRINT banner; room charges that were under way are unknown: look them up in the hotel's system")
	return exitOK
}

// journalFlags reads the command line of a command about a box and one file: the box's configuration, by default the one it
// starts on, its folder of bundles, and the file. A nil configuration comes with the exit code.
func journalFlags(std stdio, name, usage string, args []string) (c *firmwareconfig.Config, slots, file string, code int) {
	flags := flag.NewFlagSet("aboyeur "+name, flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	config := flags.String("config", "", "")
	flags.StringVar(&slots, "firmware", slot.DefaultDir, "")
	err := flags.Parse(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprint(std.out, usage)
		return nil, "", "", exitOK
	case err != nil:
		fmt.Fprintf(std.err, "aboyeur %s: %v\n%s", name, err, usage)
		return nil, "", "", exitRefused
	case flags.NArg() != 1:
		fmt.Fprintf(std.err, "aboyeur %s: give one FILE\n%s", name, usage)
		return nil, "", "", exitRefused
	}
	if *config == "" {
		*config = inForce(slots)
	}
	if c, err = firmwareconfig.Load(*config); err != nil {
		fmt.Fprintf(std.err, "aboyeur %s: %v\n", name, err)
		return nil, "", "", exitRefused
	}
	return c, slots, flags.Arg(0), exitOK
}
