package port

import (
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	for _, tt := range []struct {
		in   string
		want Address
		text string // canonical; "" means in
	}{
		{in: "tcp:192.168.1.50:9100", want: Address{Scheme: TCP, Host: "192.168.1.50", Port: 9100}},
		{in: "tcp:Grill-Printer.local:9100", want: Address{Scheme: TCP, Host: "grill-printer.local", Port: 9100}, text: "tcp:grill-printer.local:9100"},
		{in: "tcp:[::1]:9100", want: Address{Scheme: TCP, Host: "::1", Port: 9100}},
		{in: "tcp:[FE80:0::1%eth0]:65535", want: Address{Scheme: TCP, Host: "fe80::1%eth0", Port: 65535}, text: "tcp:[fe80::1%eth0]:65535"},
		{in: "usb:04b8:0202", want: Address{Scheme: USB, Vendor: 0x04b8, Product: 0x0202}},
		{in: "usb:04B8:0E03:J5SG:47", want: Address{Scheme: USB, Vendor: 0x04b8, Product: 0x0e03, Serial: "J5SG:47"}, text: "usb:04b8:0e03:J5SG:47"},
		{in: "usb:port=1-1.3", want: Address{Scheme: USB, USBPort: "1-1.3"}},
		{in: "usb:port=2-4", want: Address{Scheme: USB, USBPort: "2-4"}},
		{in: "serial:/dev/ttyUSB0?baud=19200&parity=none&flow=rtscts",
			want: Address{Scheme: Serial, Path: "/dev/ttyUSB0", Baud: 19200, Data: 8, Parity: ParityNone, Stop: 1, Flow: FlowRTSCTS}},
		{in: "serial:/dev/ttyS0", want: Address{Scheme: Serial, Path: "/dev/ttyS0", Baud: 9600, Data: 8, Parity: ParityNone, Stop: 1, Flow: FlowNone},
			text: "serial:/dev/ttyS0?baud=9600&parity=none&flow=none"},
		{in: "serial:/dev/ttyS0?stop=2&data=7&parity=even&flow=xonxoff&baud=115200",
			want: Address{Scheme: Serial, Path: "/dev/ttyS0", Baud: 115200, Data: 7, Parity: ParityEven, Stop: 2, Flow: FlowXONXOFF},
			text: "serial:/dev/ttyS0?baud=115200&parity=even&flow=xonxoff&data=7&stop=2"},
		{in: "file:/tmp/ticket.bin", want: Address{Scheme: File, Path: "/tmp/ticket.bin"}},
		{in: "file:/srv/Küche/bon.bin", want: Address{Scheme: File, Path: "/srv/Küche/bon.bin"}},
	} {
		a, err := Parse(tt.in)
		if err != nil || a != tt.want {
			t.Errorf("Parse(%q) = %+v, %v, want %+v", tt.in, a, err, tt.want)
			continue
		}
		if tt.text == "" {
			tt.text = tt.in
		}
		if a.String() != tt.text {
			t.Errorf("Parse(%q).String() = %q, want %q", tt.in, a.String(), tt.text)
		}
	}
}

func TestParseErrorsNameTheRemedy(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"", `"" has no scheme; begin with tcp:, usb:, serial: or file:, as in tcp:192.168.1.50:9100`},
		{"192.168.1.50", `"192.168.1.50" has no scheme; begin with tcp:, usb:, serial: or file:, as in tcp:192.168.1.50:9100`},
		{"TCP:a:1", `"TCP:a:1" has an unknown scheme; begin with tcp:, usb:, serial: or file:, as in tcp:192.168.1.50:9100`},
		{"lpt:1", `"lpt:1" has an unknown scheme; begin with tcp:, usb:, serial: or file:, as in tcp:192.168.1.50:9100`},
		{"usb:4b8", `"usb:4b8" has no product id; write usb:VENDOR:PRODUCT, as in usb:04b8:0202`},
		{"usb:", `"usb:" has no vendor id; write usb:VENDOR:PRODUCT, as in usb:04b8:0202`},
		{"usb:4b8:0202", `"usb:4b8:0202" has a vendor id that is not four hexadecimal digits; write usb:VENDOR:PRODUCT, as in usb:04b8:0202`},
		{"usb:04b8:+202", `"usb:04b8:+202" has a product id that is not four hexadecimal digits; write usb:VENDOR:PRODUCT, as in usb:04b8:0202`},
		{"usb:04b8:0202:", `"usb:04b8:0202:" has an empty serial number; leave the last colon out, or write usb:VENDOR:PRODUCT:SERIAL, as in usb:04b8:0202:J5SG004711`},
		{"usb:port=1", `"usb:port=1" has no valid place; write usb:port=PLACE, as in usb:port=1-1.3`},
		{"usb:port=01-1", `"usb:port=01-1" has no valid place; write usb:port=PLACE, as in usb:port=1-1.3`},
		{"usb:port=1-1.", `"usb:port=1-1." has no valid place; write usb:port=PLACE, as in usb:port=1-1.3`},
		{"tcp:printer", `"tcp:printer" has no port; write tcp:HOST:PORT, as in tcp:192.168.1.50:9100`},
		{"tcp::9100", `"tcp::9100" has no host; write tcp:HOST:PORT, as in tcp:192.168.1.50:9100`},
		{"tcp://10.0.0.1:9100", `"tcp://10.0.0.1:9100" is written like a web address; leave the slashes out: write tcp:HOST:PORT, as in tcp:192.168.1.50:9100`},
		{"tcp:::1:9100", `"tcp:::1:9100" has too many colons; write tcp:HOST:PORT, as in tcp:192.168.1.50:9100; an IPv6 address stands in brackets`},
		{"tcp:[::1:9100", `"tcp:[::1:9100" has no closing bracket; write tcp:HOST:PORT, as in tcp:192.168.1.50:9100`},
		{"tcp:[10.0.0.1]:9100", `"tcp:[10.0.0.1]:9100" has no IPv6 address between its brackets; write tcp:[ADDRESS]:PORT, as in tcp:[fe80::1%eth0]:9100`},
		{"tcp:10.0.0.256:9100", `"tcp:10.0.0.256:9100" has a host that is neither a name nor an IP address; write tcp:HOST:PORT, as in tcp:192.168.1.50:9100`},
		{"tcp:a b:9100", `"tcp:a b:9100" has a host that is neither a name nor an IP address; write tcp:HOST:PORT, as in tcp:192.168.1.50:9100`},
		{"tcp:a:0", `"tcp:a:0" has no valid port; write a number from 1 to 65535 after the last colon; printers listen at 9100`},
		{"tcp:a:065", `"tcp:a:065" has no valid port; write a number from 1 to 65535 after the last colon; printers listen at 9100`},
		{"tcp:a:65536", `"tcp:a:65536" has no valid port; write a number from 1 to 65535 after the last colon; printers listen at 9100`},
		{"serial:ttyS0", `"serial:ttyS0" has a path that does not begin at the root; write serial:DEVICE?baud=RATE, as in serial:/dev/ttyUSB0?baud=19200&parity=none&flow=rtscts`},
		{"serial:/dev/ttyS0?baud=12345", `"serial:/dev/ttyS0?baud=12345" has no valid baud; write one of 1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200, 230400; the printer's self-test shows its own`},
		{"serial:/dev/ttyS0?parity=mark", `"serial:/dev/ttyS0?parity=mark" has no valid parity; write parity=none, parity=even or parity=odd`},
		{"serial:/dev/ttyS0?flow=dtr", `"serial:/dev/ttyS0?flow=dtr" has no valid flow; write flow=none, flow=rtscts, flow=xonxoff or flow=dsr`},
		{"serial:/dev/ttyS0?baud=9600&baud=9600", `"serial:/dev/ttyS0?baud=9600&baud=9600" says "baud" twice; say it once`},
		{"serial:/dev/ttyS0?bits=8", `"serial:/dev/ttyS0?bits=8" has an unknown setting "bits"; use baud, parity, flow, data and stop, as in serial:/dev/ttyUSB0?baud=19200&parity=none&flow=rtscts`},
		{"file:ticket.bin", `"file:ticket.bin" has a path that does not begin at the root; write file:PATH, as in file:/tmp/ticket.bin`},
		{"file:", `"file:" has no path; write file:PATH, as in file:/tmp/ticket.bin`},
		{"file:/tmp/", `"file:/tmp/" names a folder; write file:PATH, as in file:/tmp/ticket.bin`},
		{"file:/tmp/a\nb", `"file:/tmp/a\nb" holds a control character or bytes that are not UTF-8; write plain text`},
	} {
		if a, err := Parse(tt.in); err == nil || err.Error() != tt.want {
			t.Errorf("Parse(%q) = %+v, %v\nwant %s", tt.in, a, err, tt.want)
		}
	}
	if _, err := Parse("file:/" + strings.Repeat("a", MaxAddress)); err == nil || len(err.Error()) > 200 {
		t.Errorf("Parse of a long address: %v, want a short error", err)
	}
}

func TestAddressAsText(t *testing.T) {
	var a Address
	if err := a.UnmarshalText([]byte("tcp:10.0.0.9:9100")); err != nil {
		t.Fatal(err)
	}
	if b, err := a.MarshalText(); err != nil || string(b) != "tcp:10.0.0.9:9100" {
		t.Errorf("MarshalText = %q, %v", b, err)
	}
	if b, err := (Address{}).MarshalText(); err == nil {
		t.Errorf("MarshalText of nothing = %q, want an error", b)
	}
}

// FuzzParse holds that what parses has one canonical form, which parses to the same address.
func FuzzParse(f *testing.F) {
	for _, s := range []string{
		"tcp:192.168.1.50:9100", "tcp:[fe80::1%eth0]:9100", "tcp:[::ffff:1.2.3.4]:1", "usb:04b8:0202", "usb:04b8:0202:A:B", "usb:port=1-1.3",
		"serial:/dev/ttyUSB0?baud=19200&parity=none&flow=rtscts", "serial:/dev/ttyS0?data=7&stop=2", "file:/tmp/ticket.bin", "usb:4b8", "tcp:a:0",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		a, err := Parse(s)
		if err != nil {
			if a != (Address{}) {
				t.Errorf("Parse(%q) = %+v with error %v", s, a, err)
			}
			return
		}
		text := a.String()
		again, err := Parse(text)
		if err != nil || again != a {
			t.Errorf("Parse(%q) = %+v, but Parse of its form %q = %+v, %v", s, a, text, again, err)
		}
		if again.String() != text {
			t.Errorf("%q has two canonical forms: %q and %q", s, text, again.String())
		}
	})
}
