package usbredir

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
)

// A message of the protocol. Everything is in least significant byte first order.
type message struct {
	kind kind
	id   uint64
	body []byte // header of its kind, then data
}

type kind uint32

// Kinds of messages.
const (
	hello               kind = 0
	deviceConnect       kind = 1
	deviceDisconnect    kind = 2
	reset               kind = 3
	interfaceInfo       kind = 4
	epInfo              kind = 5
	setConfiguration    kind = 6
	getConfiguration    kind = 7
	configurationStatus kind = 8
	setAltSetting       kind = 9
	getAltSetting       kind = 10
	altSettingStatus    kind = 11
	cancelDataPacket    kind = 21
	controlPacket       kind = 100
	bulkPacket          kind = 101
)

// status of a packet or request.
type status byte

const (
	statusSuccess   status = 0
	statusCancelled status = 1
	statusInvalid   status = 2
	statusIOError   status = 3
	statusStall     status = 4
)

// Capabilities, as bits of hello.
const (
	capDeviceVersion = 1 << 1
	capMaxPacketSize = 1 << 4
	cap64BitIDs      = 1 << 5
	cap32BitLength   = 1 << 6

	ourCaps = capDeviceVersion | capMaxPacketSize | cap64BitIDs | cap32BitLength
)

const (
	versionSize = 64
	helloSize   = versionSize + 4
	controlSize = 10
	// maxMessage bounds what a guest may send at once; libusb and the kernel send 16 KiB.
	maxMessage = 1 << 20
)

// codec reads and writes messages. Ids have 64 bits once both sides have said that they can.
type codec struct {
	wide bool
}

func (c *codec) size() int {
	if c.wide {
		return 16
	}
	return 12
}

func (c *codec) append(b []byte, m message) []byte {
	b = binary.LittleEndian.AppendUint32(b, uint32(m.kind))
	b = binary.LittleEndian.AppendUint32(b, uint32(len(m.body)))
	if c.wide {
		b = binary.LittleEndian.AppendUint64(b, m.id)
	} else {
		b = binary.LittleEndian.AppendUint32(b, uint32(m.id))
	}
	return append(b, m.body...)
}

func (c *codec) read(r io.Reader) (message, error) {
	var head [16]byte
	if _, err := io.ReadFull(r, head[:c.size()]); err != nil {
		return message{}, err
	}
	m := message{kind: kind(binary.LittleEndian.Uint32(head[:])), id: uint64(binary.LittleEndian.Uint32(head[8:]))}
	if c.wide {
		m.id = binary.LittleEndian.Uint64(head[8:])
	}
	n := binary.LittleEndian.Uint32(head[4:])
	if n > maxMessage {
		return message{}, fmt.Errorf("message %d of %d bytes: at most %d", m.kind, n, maxMessage)
	}
	m.body = make([]byte, n)
	_, err := io.ReadFull(r, m.body)
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return m, err
}

func helloBody(version string) []byte {
	b := make([]byte, versionSize, helloSize)
	copy(b[:versionSize-1], version)
	return binary.LittleEndian.AppendUint32(b, ourCaps)
}

// parseHello reads the peer's name and capabilities; an old peer has none.
func parseHello(b []byte) (version string, caps uint32, err error) {
	if len(b) < versionSize {
		return "", 0, fmt.Errorf("hello of %d bytes: at least %d", len(b), versionSize)
	}
	name, _, _ := bytes.Cut(b[:versionSize], []byte{0})
	if len(b) >= helloSize {
		caps = binary.LittleEndian.Uint32(b[versionSize:])
	}
	return string(name), caps, nil
}

// A control is a control transfer's header.
type control struct {
	endpoint, request, kind byte
	status                  status
	value, index, length    uint16
}

func (c control) append(b []byte) []byte {
	b = append(b, c.endpoint, c.request, c.kind, byte(c.status))
	b = binary.LittleEndian.AppendUint16(b, c.value)
	b = binary.LittleEndian.AppendUint16(b, c.index)
	return binary.LittleEndian.AppendUint16(b, c.length)
}

func parseControl(b []byte) (c control, data []byte, err error) {
	if len(b) < controlSize {
		return c, nil, fmt.Errorf("control packet of %d bytes: at least %d", len(b), controlSize)
	}
	return control{endpoint: b[0], request: b[1], kind: b[2], status: status(b[3]), value: binary.LittleEndian.Uint16(b[4:]),
		index: binary.LittleEndian.Uint16(b[6:]), length: binary.LittleEndian.Uint16(b[8:])}, b[controlSize:], nil
}

// A bulk is a bulk transfer's header.
type bulk struct {
	endpoint byte
	status   status
	stream   uint32
	length   uint32
}

func (h bulk) append(b []byte, long bool) []byte {
	b = append(b, h.endpoint, byte(h.status))
	b = binary.LittleEndian.AppendUint16(b, uint16(h.length))
	b = binary.LittleEndian.AppendUint32(b, h.stream)
	if long {
		b = binary.LittleEndian.AppendUint16(b, uint16(h.length>>16))
	}
	return b
}

func parseBulk(b []byte, long bool) (h bulk, data []byte, err error) {
	size := 8
	if long {
		size = 10
	}
	if len(b) < size {
		return h, nil, fmt.Errorf("bulk packet of %d bytes: at least %d", len(b), size)
	}
	h = bulk{endpoint: b[0], status: status(b[1]), length: uint32(binary.LittleEndian.Uint16(b[2:])), stream: binary.LittleEndian.Uint32(b[4:])}
	if long {
		h.length |= uint32(binary.LittleEndian.Uint16(b[8:])) << 16
	}
	return h, b[size:], nil
}
