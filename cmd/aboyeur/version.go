package main

import (
	"context"
	"fmt"
	"runtime"
	"runtime/debug"

	"aboyeur/bridge/box"
)

// version is set by the build (-ldflags -X main.version=...).
var version = "dev"

// runVersion prints what this binary is.
func runVersion(_ context.Context, std stdio, _ []string) int {
	libusb := "without libusb"
	if box.HasLibusb {
		libusb = "with libusb"
	}
	fmt.Fprintf(std.out, "aboyeur %s, commit %s, %s %s/%s, %s\n", version, commit(), runtime.Version(), runtime.GOOS, runtime.GOARCH, libusb)
	return exitOK
}

// commit is the revision the binary was built from, as the build recorded it.
func commit() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				return s.Value
			}
		}
	}
	return "unknown"
}
