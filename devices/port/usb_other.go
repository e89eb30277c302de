//go:build !linux

package port

import (
	"context"
	"fmt"
)

// HasLibusb reports that this build opens USB printers through libusb; another has the kernel's driver only.
const HasLibusb = false

// openUSB needs the device tree of Linux.
func openUSB(_ context.Context, a Address, _ Options) (Port, error) {
	return nil, fmt.Errorf("open %s: %w; connect the printer by network (tcp:) or run on Linux", a, ErrNotInThisBuild)
}

// WatchUSB waits for ctx: elsewhere nobody tells.
func WatchUSB(ctx context.Context, _ func()) error {
	<-ctx.Done()
	return nil
}
