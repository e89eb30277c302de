//go:build linux && !cgo

package port

// HasLibusb reports that this build opens USB printers through libusb; another has the kernel's driver only.
const HasLibusb = false

// libusb needs cgo.
func libusb() usbBackend { return nil }
