package main

import (
	"context"
	"errors"
	"flag"
	"fmt"

	"aboyeur/firmware-config/slot"
)

// runIdentity shows the box's own public key. It is made when first asked for.
func runIdentity(ctx context.Context, std stdio, args []string) int {
	flags := flag.NewFlagSet("aboyeur identity", flag.ContinueOnError)
	flags.SetOutput(std.err)
	dir := flags.String("firmware", slot.DefaultDir, "the box's `FOLDER` of bundles")
	if err := parse(std, flags, args, 0, 0); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return exitOK
		}
		return exitRefused
	}
	store, err := slot.Open(slot.Config{Dir: *dir, Program: version})
	if err == nil {
		defer store.Close()
		identity, fault := store.Identity(ctx)
		if err = fault; err == nil {
			fmt.Fprintf(std.out, "%s\n%s\n", identity.Public(), identity.Fingerprint())
			return exitOK
		}
	}
	fmt.Fprintln(std.err, "aboyeur identity:", err)
	return exitFailed
}
