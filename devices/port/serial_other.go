//go:build !linux

package port

import (
	"context"
	"fmt"
)

// openSerial needs the terminal settings of Linux.
func openSerial(_ context.Context, a Address, _ Options) (Port, error) {
	return nil, fmt.Errorf("open %s: %w; connect the device by network (tcp:) or run on Linux", a, ErrNotInThisBuild)
}
