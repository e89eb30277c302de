package main

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// mountStick mounts a stick in one of the forms that sticks have.
func mountStick(device, at string, writable bool) (unmount func() error, err error) {
	flags := uintptr(unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC | unix.MS_NOSYMFOLLOW)
	if !writable {
		flags |= unix.MS_RDONLY
	}
	var faults []error
	for _, form := range []string{"vfat", "exfat", "ext4"} {
		err := unix.Mount(device, at, form, flags, "")
		if err == nil {
			return func() error { return unix.Unmount(at, 0) }, nil
		}
		faults = append(faults, fmt.Errorf("%s: %w", form, err))
	}
	return nil, fmt.Errorf("mount %s: %w", device, errors.Join(faults...))
}
