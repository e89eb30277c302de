package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"

	firmwareconfig "aboyeur/firmware-config"

	"aboyeur/bridge/box"
	"aboyeur/firmware-config/slot"
)

// runDoctor looks at everything a box needs and says a line of each.
func runDoctor(ctx context.Context, std stdio, args []string) int {
	flags := flag.NewFlagSet("aboyeur doctor", flag.ContinueOnError)
	flags.SetOutput(std.err)
	file := flags.String("config", "", "the configuration `FILE`; without it that of the bundle in force, else /etc/aboyeur/box.yaml")
	slots := flags.String("firmware", slot.DefaultDir, "the box's `FOLDER` of bundles")
	if err := parse(std, flags, args, 0, 0); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return exitOK
		}
		return exitFailed
	}
	if *file == "" {
		*file = inForce(*slots)
	}
	failed := false
	say := func(f box.Finding) {
		failed = failed || f.Verdict == box.Fails
		fmt.Fprintf(std.out, "%-4s %s: %s\n", f.Verdict, f.Subject, f.Text)
	}
	c, err := firmwareconfig.Load(*file)
	var faults firmwareconfig.Faults
	if errors.As(err, &faults) {
		for _, f := range faults {
			say(box.Finding{Verdict: box.Fails, Subject: "configuration", Text: f.Error()})
		}
		return exitFailed
	}
	if err != nil {
		say(box.Finding{Verdict: box.Fails, Subject: "configuration", Text: err.Error()})
		return exitFailed
	}
	say(box.Finding{Verdict: box.Well, Subject: "configuration", Text: *file + " is valid"})
	for _, f := range c.CheckSecrets(*file) {
		if f.Key == "http.tokens_file" {
			continue // looked at below
		}
		say(box.Finding{Verdict: box.Fails, Subject: f.Key, Text: f.Problem + "; " + f.Remedy})
	}
	for _, f := range box.Examine(ctx, c, *slots) {
		say(f)
	}
	if failed {
		return exitFailed
	}
	return exitOK
}

// inForce is the configuration that the service would start on.
func inForce(slots string) string {
	const plain = "/etc/aboyeur/box.yaml"
	if _, err := os.Stat(slots); err != nil {
		return plain
	}
	store, err := slot.Open(slot.Config{Dir: slots})
	if err != nil {
		return plain
	}
	defer store.Close()
	if st, err := store.Status(); err == nil && st.Config != "" {
		return st.Config
	}
	return plain
}
