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
package port
