package port

// An Address says where a device is: its scheme and what that scheme needs. Two addresses are equal (==) when they name
// the same place in the same words. The zero Address names nothing.
type Address struct {
	Scheme Scheme

	Host string // tcp: a name or an IP address, without brackets
	Port uint16 // tcp

	Path string // file and serial: an absolute path

	Vendor, Product uint16 // usb by identity
	Serial          string // usb by identity: optional
	USBPort         string // usb by place, as in 1-1.3

	Baud   int    // serial: bits a second
	Data   int    // serial: data bits, 7 or 8
	Parity Parity // serial
	Stop   int    // serial: stop bits, 1 or 2
	Flow   Flow   // serial
}

// Scheme is the word before the first colon of an address.
type Scheme string

// The schemes.
const (
	Serial Scheme = "serial"
	USB    Scheme = "usb"
	TCP    Scheme = "tcp"
	File   Scheme = "file"
)

// Parity of a serial line.
type Parity string

// The parities.
const (
	ParityNone Parity = "none"
	ParityEven Parity = "even"
	ParityOdd  Parity = "odd"
)

// Flow is how a serial line says "stop sending".
type Flow string

// The kinds of flow control (spec/escpos.md 12).
const (
	FlowNone    Flow = "none"
	FlowRTSCTS  Flow = "rtscts"
	FlowXONXOFF Flow = "xonxoff"
	FlowDSR     Flow = "dsr" // polled: Linux has no DTR/DSR handshake
)
