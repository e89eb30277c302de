// Package port opens devices by address and makes byte streams of them. Code above it does not know whether it talks to
// a socket, a cable or a file.
//
//	serial:/dev/ttyUSB0?baud=19200&parity=none&flow=rtscts
//	usb:04b8:0202            usb:04b8:0202:SERIAL            usb:port=1-1.3
//	tcp:192.168.1.50:9100    tcp:[fe80::1%eth0]:9100
//	file:/tmp/ticket.bin
//
// Parse is strict, and what it takes Address.String gives back in one canonical form. Every Port obeys one test suite.
//
// # Stuck is not gone
//
// A printer without paper closes its receive window, for hours if need be, and goes on when somebody loads a roll. Linux
// counts that time against TCP_USER_TIMEOUT although the peer answers every probe (measured: a peer that answered until
// the end was given up after exactly the timeout). A tcp port therefore also is Patient: whoever knows that the device
// is stuck lifts the timeout with SetPatient and asks Unheard whether the peer still answers the kernel.
//
// # Serial lines
//
// github.com/tarm/serial opens them, sets speed, bits and parity, and reads. On its own it says 0, io.EOF both when
// nothing came and, for ever, when the adapter was pulled out; its Write blocks for as long as the device holds CTS, with
// no way to end it or to learn how far it came; its Close waits for a Read; and it knows neither RTS/CTS nor XON/XOFF nor
// exclusive use (all tried). So the device is open a second time, without blocking. That descriptor sets CRTSCTS, IXON and
// INPCK (settings belong to the device), keeps others out with a lock and TIOCEXCL, waits for bytes under a deadline, sees
// the hang-up, and writes. A line is gone when its adapter is: what happens beyond the plug only the protocol above can see.
//
// # USB
//
// The kernel's tree of devices says what is plugged in; github.com/google/gousb opens it, or in a build without cgo the
// kernel's own driver as /dev/usb/lpN. Measured with an emulated printer behind the real kernel and libusb: of a transfer
// that timed out or was cancelled the count is worthless, 1985 or 0 bytes where 1000 had been taken. So a port never
// cancels a transfer to learn how far it came: it stays under way, counts as taken, and the next one waits for it
// (usbPort). A halted pipe stays halted until the device is reset, which Close then does. WatchUSB tells when printers
// come and go.
package port
