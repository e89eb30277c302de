// Package usbredir plugs a simulated printer into a QEMU machine as a USB device. QEMU's usb-redir device speaks the USB
// network redirection protocol (version 0.7) over a socket; this package is its other end, where the protocol thinks the real device is.
// Everything in the guest is then genuine: kernel, usblp, libusb.
//
//	simulated printer <- two pipes -> Device <- usbredir -> QEMU xHCI <- kernel -> libusb -> devices/port
//
// What the printer does not take, the device does not acknowledge: the transfer stays under way, as with a real printer that
// says NAK. Unplugging, NAK, partial acceptance, stall and slowness are commands (Device.Do); paper and lid are the
// printer's own faults. A printer that is switched off leaves the bus, and comes back under a new device number.
//
// The device has the printer class (spec/escpos.md 11) or a vendor's own, one configuration, one interface, one bulk pipe
// each way, full speed. A halted pipe stays halted until CLEAR_FEATURE, SET_CONFIGURATION, SET_INTERFACE or a reset. Its
// RAM outlives resets and unplugging, as that of a printer with its own power does.
package usbredir
