package usbredir

import (
	"encoding/binary"
	"unicode/utf16"
)

// Numbers of the USB specification.
const (
	getStatus     = 0
	clearFeature  = 1
	setFeature    = 3
	getDescriptor = 6

	typeDevice = 1
	typeConfig = 2
	typeString = 3

	toHost     = 0x80
	kindMask   = 0x60
	kindClass  = 0x20
	speedFull  = 1
	typeBulk   = 2
	typeNone   = 255
	endpointIn = 0x80

	packetSize = 64 // bulk at full speed
)

// Requests of the printer class (spec/escpos.md 11).
const (
	getDeviceID   = 0
	getPortStatus = 1
	softReset     = 2
)

// Indexes of strings.
const (
	stringMaker = 1 + iota
	stringName
	stringSerial
)

func (d *Device) protocol() byte {
	switch {
	case d.c.Vendored:
		return 0xFF
	case d.c.OneWay:
		return 1
	}
	return 2
}

func (d *Device) class() (class, sub byte) {
	if d.c.Vendored {
		return 0xFF, 0
	}
	return 7, 1
}

func (d *Device) in() byte { return endpointIn | byte(d.c.In) }

// descriptor is the answer to GET_DESCRIPTOR, nil for one the device has not.
func (d *Device) descriptor(kind, index byte) []byte {
	switch kind {
	case typeDevice:
		b := []byte{18, typeDevice, 0x00, 0x02, 0, 0, 0, 64}
		b = binary.LittleEndian.AppendUint16(b, d.c.Vendor)
		b = binary.LittleEndian.AppendUint16(b, d.c.Product)
		serial := byte(stringSerial)
		if d.c.Serial == "" {
			serial = 0
		}
		return append(b, 0x00, 0x01, stringMaker, stringName, serial, 1)
	case typeConfig:
		endpoints := byte(2)
		if d.c.OneWay {
			endpoints = 1
		}
		class, sub := d.class()
		b := []byte{9, typeConfig, 0, 0, 1, 1, 0, 0xC0, 1, // one configuration, own power, 2 mA
			9, 4, 0, 0, endpoints, class, sub, d.protocol(), 0,
			7, 5, byte(d.c.Out), typeBulk, packetSize, 0, 0}
		if !d.c.OneWay {
			b = append(b, 7, 5, d.in(), typeBulk, packetSize, 0, 0)
		}
		b[2] = byte(len(b))
		return b
	case typeString:
		switch index {
		case 0:
			return []byte{4, typeString, 0x09, 0x04} // English
		case stringMaker:
			return stringDescriptor(d.c.Maker)
		case stringName:
			return stringDescriptor(d.c.Name)
		case stringSerial:
			return stringDescriptor(d.c.Serial)
		}
	}
	return nil
}

func stringDescriptor(s string) []byte {
	b := []byte{0, typeString}
	for _, u := range utf16.Encode([]rune(s)) {
		b = binary.LittleEndian.AppendUint16(b, u)
	}
	b[0] = byte(len(b))
	return b
}

// interfaceInfo and epInfo describe the device before it is connected.
func (d *Device) interfaceInfo() []byte {
	b := make([]byte, 4+4*32)
	b[0] = 1
	class, sub := d.class()
	b[4+32], b[4+64], b[4+96] = class, sub, d.protocol()
	return b
}

func (d *Device) epInfo(sizes bool) []byte {
	b := make([]byte, 3*32, 5*32)
	for i := range 32 {
		b[i] = typeNone
	}
	b[0], b[16] = 0, 0 // control
	b[d.c.Out] = typeBulk
	if !d.c.OneWay {
		b[16+d.c.In] = typeBulk
	}
	if sizes {
		for i := range 32 {
			size := uint16(0)
			if b[i] != typeNone {
				size = packetSize
			}
			b = binary.LittleEndian.AppendUint16(b, size)
		}
	}
	return b
}

func (d *Device) connectBody(version bool) []byte {
	b := []byte{speedFull, 0, 0, 0}
	b = binary.LittleEndian.AppendUint16(b, d.c.Vendor)
	b = binary.LittleEndian.AppendUint16(b, d.c.Product)
	if version {
		b = binary.LittleEndian.AppendUint16(b, 0x0100)
	}
	return b
}
