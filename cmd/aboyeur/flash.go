package main

import (
	"context"
	"flag"
	"fmt"

	"aboyeur/firmware-config/stick"
)

const flashUsage = `aboyeur flash stick --dir MOUNTPOINT F
aboyeur flash cable --port /dev/ttyACM0 [--allow-site any] F
aboyeur flash cable --port /dev/ttyACM0 status
aboyeur flash cable --port /dev/ttyACM0 logs
F is a bundle that aboyeur bundle pack made. stick lays it onto a USB stick, from which a box takes it when the stick is put
in. cable sends it over the USB cable and waits for the box's own verdict; it exits 2 when the box refuses and 3 when the
line does not carry. On the box itself, systemd runs aboyeur flash box --device DEVICE and aboyeur flash serve --port PORT.
`

// exitLink is the code of a cable that does not carry (contract, section 2).
const exitLink = 3

// linkError is a fault of the line to the box, not of what was sent over it.
type linkError struct{ err error }

func (e *linkError) Error() string { return e.err.Error() }
func (e *linkError) Unwrap() error { return e.err }

// runFlash brings bundles to boxes.
func runFlash(ctx context.Context, std stdio, args []string) int {
	acts := map[string]func(context.Context, stdio, *flag.FlagSet, []string) error{
		"stick": flashStick, "box": flashBox, "cable": flashCable, "serve": flashServe,
	}
	return runActs(ctx, std, "aboyeur flash", flashUsage, acts, args)
}

// flashStick lays a bundle onto a stick.
func flashStick(_ context.Context, std stdio, flags *flag.FlagSet, args []string) error {
	dir := flags.String("dir", "", "where the stick is mounted")
	if err := parse(std, flags, args, 1, 1); err != nil {
		return err
	}
	if err := need(std, flags, "dir"); err != nil {
		return err
	}
	name, err := stick.Lay(*dir, flags.Arg(0))
	if err != nil {
		return err
	}
	fmt.Fprintf(std.out, "%s lies on the stick; take it out in the usual way, put it into the box, and wait for the slip\n", name)
	return nil
}
