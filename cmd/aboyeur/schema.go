package main

import (
	"context"
	"fmt"

	firmwareconfig "aboyeur/firmware-config"
)

// runSchema prints the JSON Schema of the configuration, for editors and other programs.
func runSchema(_ context.Context, std stdio, args []string) int {
	if len(args) > 0 {
		fmt.Fprintln(std.err, "aboyeur schema takes no arguments; it prints the JSON Schema of the configuration")
		return exitRefused
	}
	b, err := firmwareconfig.JSONSchema().JSON()
	if err == nil {
		_, err = std.out.Write(b)
	}
	if err != nil {
		fmt.Fprintf(std.err, "aboyeur schema: %v\n", err)
		return exitFailed
	}
	return exitOK
}
