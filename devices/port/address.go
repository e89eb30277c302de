package port

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// An Address says where a device is: its scheme and what that scheme needs. Two addresses are equal (==) when they name
// the same place in the same words. The zero Address names nothing.
type Address struct {
	Scheme Scheme

	Host string // tcp: a name or an IP address, without brackets
	Port uint16 // tcp

	Path string // file and serial: absolute

	Vendor, Product uint16 // usb by identity
	Serial          string // usb by identity: optional
	USBPort         string // usb by place, as in 1-1.3; the other usb fields are then empty

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

// Flow is how the device at the end of a serial line says "stop sending" (spec/escpos.md 12).
type Flow string

// The kinds of flow control.
const (
	FlowNone    Flow = "none"
	FlowRTSCTS  Flow = "rtscts"
	FlowXONXOFF Flow = "xonxoff"
	FlowDSR     Flow = "dsr" // polled: Linux has no DTR/DSR handshake
)

// Limits and defaults of addresses.
const (
	MaxAddress   = 512 // bytes of any address
	DefaultBaud  = 9600
	maxUSBSerial = 126 // characters of a USB string descriptor
	maxHost      = 253
)

// bauds are the rates every serial driver of Linux knows.
var bauds = []int{1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200, 230400, 460800, 921600}

// What to write instead, by scheme.
const (
	usageSerial = "write serial:DEVICE?baud=RATE, as in serial:/dev/ttyUSB0?baud=19200&parity=none&flow=rtscts"
	usageUSB    = "write usb:VENDOR:PRODUCT, as in usb:04b8:0202"
	usagePlace  = "write usb:port=PLACE, as in usb:port=1-1.3"
	usageTCP    = "write tcp:HOST:PORT, as in tcp:192.168.1.50:9100"
	usageFile   = "write file:PATH, as in file:/tmp/ticket.bin"
)

// Parse reads an address. Its errors quote s and say what to write instead.
func Parse(s string) (Address, error) {
	fail := func(wrong, remedy string) (Address, error) {
		return Address{}, fmt.Errorf("%s %s; %s", quote(s), wrong, remedy)
	}
	if len(s) > MaxAddress {
		return fail(fmt.Sprintf("is longer than %d bytes", MaxAddress), "write a shorter address")
	}
	for _, r := range s {
		if r < ' ' || r == 0x7F || r == '�' {
			return fail("holds a control character or bytes that are not UTF-8", "write plain text")
		}
	}
	scheme, rest, found := strings.Cut(s, ":")
	if !found {
		return fail("has no scheme", "begin with tcp:, usb:, serial: or file:, as in tcp:192.168.1.50:9100")
	}
	var a Address
	var wrong, remedy string
	switch Scheme(scheme) {
	case TCP:
		a, wrong, remedy = parseTCP(rest)
	case USB:
		a, wrong, remedy = parseUSB(rest)
	case Serial:
		a, wrong, remedy = parseSerial(rest)
	case File:
		a, wrong, remedy = parseFile(rest)
	default:
		return fail("has an unknown scheme", "begin with tcp:, usb:, serial: or file:, as in tcp:192.168.1.50:9100")
	}
	if wrong != "" {
		return fail(wrong, remedy)
	}
	return a, nil
}

// quote is s in quotes, cut to a length that fits a log line.
func quote(s string) string {
	if len(s) > 80 {
		s = s[:80] + "…"
	}
	return strconv.Quote(s)
}

func parseTCP(s string) (a Address, wrong, remedy string) {
	host, port := s, ""
	if strings.HasPrefix(s, "//") {
		return a, "is written like a web address", "leave the slashes out: " + usageTCP
	}
	if rest, ok := strings.CutPrefix(s, "["); ok {
		var after string
		if host, after, ok = strings.Cut(rest, "]"); !ok {
			return a, "has no closing bracket", usageTCP
		}
		ip, err := netip.ParseAddr(host)
		if err != nil || ip.Is4() {
			return a, "has no IPv6 address between its brackets", "write tcp:[ADDRESS]:PORT, as in tcp:[fe80::1%eth0]:9100"
		}
		if port, ok = strings.CutPrefix(after, ":"); !ok {
			return a, "has no port", usageTCP
		}
		host = ip.String()
	} else {
		var ok bool
		if host, port, ok = strings.Cut(s, ":"); !ok || port == "" {
			return a, "has no port", usageTCP
		}
		if strings.Contains(port, ":") {
			return a, "has too many colons", usageTCP + "; an IPv6 address stands in brackets"
		}
		if wrong := wrongHost(host); wrong != "" {
			return a, wrong, usageTCP
		}
		host = strings.ToLower(host)
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil || n == 0 || port != strconv.FormatUint(n, 10) {
		return a, "has no valid port", "write a number from 1 to 65535 after the last colon; printers listen at 9100"
	}
	return Address{Scheme: TCP, Host: host, Port: uint16(n)}, "", ""
}

func wrongHost(h string) string {
	if h == "" {
		return "has no host"
	}
	if len(h) > maxHost {
		return "has a host name of more than 253 characters"
	}
	if strings.Trim(h, "0123456789.") == "" {
		if _, err := netip.ParseAddr(h); err != nil {
			return "has a host that is neither a name nor an IP address"
		}
		return ""
	}
	for label := range strings.SplitSeq(h, ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return "has a host that is neither a name nor an IP address"
		}
		for i := range len(label) {
			c := label[i]
			if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_') {
				return "has a host that is neither a name nor an IP address"
			}
		}
	}
	return ""
}

func parseUSB(s string) (a Address, wrong, remedy string) {
	if place, ok := strings.CutPrefix(s, "port="); ok {
		if !isUSBPlace(place) {
			return a, "has no valid place", usagePlace
		}
		return Address{Scheme: USB, USBPort: place}, "", ""
	}
	vendor, rest, found := strings.Cut(s, ":")
	if vendor == "" {
		return a, "has no vendor id", usageUSB
	}
	if !found || rest == "" {
		return a, "has no product id", usageUSB
	}
	product, serial, hasSerial := strings.Cut(rest, ":")
	v, ok := hex4(vendor)
	if !ok {
		return a, "has a vendor id that is not four hexadecimal digits", usageUSB
	}
	p, ok := hex4(product)
	if !ok {
		return a, "has a product id that is not four hexadecimal digits", usageUSB
	}
	if hasSerial && serial == "" {
		return a, "has an empty serial number", "leave the last colon out, or write usb:VENDOR:PRODUCT:SERIAL, as in usb:04b8:0202:J5SG004711"
	}
	if len(serial) > maxUSBSerial {
		return a, "has a serial number of more than 126 characters", usageUSB
	}
	return Address{Scheme: USB, Vendor: v, Product: p, Serial: serial}, "", ""
}

func hex4(s string) (uint16, bool) {
	n, err := strconv.ParseUint(s, 16, 16)
	return uint16(n), err == nil && len(s) == 4
}

// isUSBPlace reports the kernel's form: bus, dash, port numbers with dots.
func isUSBPlace(s string) bool {
	bus, ports, ok := strings.Cut(s, "-")
	if !ok || !isCount(bus) {
		return false
	}
	for p := range strings.SplitSeq(ports, ".") {
		if !isCount(p) {
			return false
		}
	}
	return true
}

// isCount reports a number from 1 to 255 without leading zeros.
func isCount(s string) bool {
	n, err := strconv.ParseUint(s, 10, 8)
	return err == nil && n > 0 && s[0] != '0'
}

func parseSerial(s string) (a Address, wrong, remedy string) {
	path, query, hasQuery := strings.Cut(s, "?")
	if wrong := wrongPath(path); wrong != "" {
		return a, wrong, usageSerial
	}
	a = Address{Scheme: Serial, Path: path, Baud: DefaultBaud, Data: 8, Parity: ParityNone, Stop: 1, Flow: FlowNone}
	if !hasQuery {
		return a, "", ""
	}
	seen := make([]string, 0, 5)
	for setting := range strings.SplitSeq(query, "&") {
		key, value, _ := strings.Cut(setting, "=")
		if slices.Contains(seen, key) {
			return a, fmt.Sprintf("says %s twice", quote(key)), "say it once"
		}
		seen = append(seen, key)
		switch key {
		case "baud":
			n, err := strconv.Atoi(value)
			if err != nil || !slices.Contains(bauds, n) || value != strconv.Itoa(n) {
				return a, "has no valid baud", "write one of 1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200, 230400; the printer's self-test shows its own"
			}
			a.Baud = n
		case "parity":
			switch p := Parity(value); p {
			case ParityNone, ParityEven, ParityOdd:
				a.Parity = p
			default:
				return a, "has no valid parity", "write parity=none, parity=even or parity=odd"
			}
		case "flow":
			switch f := Flow(value); f {
			case FlowNone, FlowRTSCTS, FlowXONXOFF, FlowDSR:
				a.Flow = f
			default:
				return a, "has no valid flow", "write flow=none, flow=rtscts, flow=xonxoff or flow=dsr"
			}
		case "data":
			if value != "7" && value != "8" {
				return a, "has no valid data", "write data=7 or data=8"
			}
			a.Data = int(value[0] - '0')
		case "stop":
			if value != "1" && value != "2" {
				return a, "has no valid stop", "write stop=1 or stop=2"
			}
			a.Stop = int(value[0] - '0')
		default:
			return a, fmt.Sprintf("has an unknown setting %s", quote(key)), "use baud, parity, flow, data and stop, as in serial:/dev/ttyUSB0?baud=19200&parity=none&flow=rtscts"
		}
	}
	return a, "", ""
}

func parseFile(s string) (a Address, wrong, remedy string) {
	if wrong := wrongPath(s); wrong != "" {
		return a, wrong, usageFile
	}
	return Address{Scheme: File, Path: s}, "", ""
}

func wrongPath(s string) string {
	switch {
	case s == "":
		return "has no path"
	case s[0] != '/':
		return "has a path that does not begin at the root"
	case s[len(s)-1] == '/':
		return "names a folder"
	}
	return ""
}

// String gives the canonical form: Parse of it gives a again. The zero Address gives "".
func (a Address) String() string {
	switch a.Scheme {
	case TCP:
		if strings.Contains(a.Host, ":") {
			return fmt.Sprintf("tcp:[%s]:%d", a.Host, a.Port)
		}
		return fmt.Sprintf("tcp:%s:%d", a.Host, a.Port)
	case USB:
		if a.USBPort != "" {
			return "usb:port=" + a.USBPort
		}
		s := fmt.Sprintf("usb:%04x:%04x", a.Vendor, a.Product)
		if a.Serial != "" {
			s += ":" + a.Serial
		}
		return s
	case Serial:
		s := fmt.Sprintf("serial:%s?baud=%d&parity=%s&flow=%s", a.Path, a.Baud, a.Parity, a.Flow)
		if a.Data != 8 {
			s += fmt.Sprintf("&data=%d", a.Data)
		}
		if a.Stop != 1 {
			s += fmt.Sprintf("&stop=%d", a.Stop)
		}
		return s
	case File:
		return "file:" + a.Path
	}
	return ""
}

// MarshalText gives the canonical form.
func (a Address) MarshalText() ([]byte, error) {
	if a.Scheme == "" {
		return nil, errors.New("address names nothing")
	}
	return []byte(a.String()), nil
}

// UnmarshalText is Parse.
func (a *Address) UnmarshalText(text []byte) (err error) {
	*a, err = Parse(string(text))
	return err
}
