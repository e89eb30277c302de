//go:build linux && cgo

package port

import (
	"errors"
	"fmt"
	"testing"

	"github.com/google/gousb"
)

func TestGousbErrors(t *testing.T) {
	for _, tt := range []struct{ theirs, want error }{
		{gousb.ErrorNoDevice, ErrUnplugged},
		{gousb.TransferNoDevice, ErrUnplugged},
		{gousb.TransferStall, errUSBHalted},
		{gousb.ErrorPipe, errUSBHalted},
		{fmt.Errorf("failed to claim interface 0 on vid=04b8: %v", gousb.ErrorBusy), errUSBBusy}, // gousb keeps the text only
		{fmt.Errorf("x: %v", gousb.ErrorAccess), errUSBAccess},
		{gousb.TransferError, gousb.TransferError},
	} {
		if got := translate(tt.theirs); !errors.Is(got, tt.want) {
			t.Errorf("translate(%v) = %v, want %v", tt.theirs, got, tt.want)
		}
	}
	if err := translate(nil); err != nil {
		t.Errorf("translate(nil) = %v", err)
	}
}

func TestGousbDescribe(t *testing.T) {
	bulk := func(a gousb.EndpointAddress, n int, d gousb.EndpointDirection, size int) gousb.EndpointDesc {
		return gousb.EndpointDesc{Address: a, Number: n, Direction: d, MaxPacketSize: size, TransferType: gousb.TransferTypeBulk}
	}
	in := func(n, size int) gousb.EndpointDesc {
		return bulk(gousb.EndpointAddress(0x80|n), n, gousb.EndpointDirectionIn, size)
	}
	got := describe(0, gousb.InterfaceSetting{Number: 0, Alternate: 1, Class: 7, SubClass: 1, Protocol: 2,
		Endpoints: map[gousb.EndpointAddress]gousb.EndpointDesc{
			0x03: bulk(0x03, 3, gousb.EndpointDirectionOut, 64),
			0x05: bulk(0x05, 5, gousb.EndpointDirectionOut, 64),
			0x84: in(4, 64), 0x86: in(6, 512),
			0x81: {Address: 0x81, Number: 1, Direction: gousb.EndpointDirectionIn, TransferType: gousb.TransferTypeInterrupt},
		}})
	want := usbInterface{alternate: 1, class: 7, sub: 1, protocol: 2, out: 3, in: 4, packet: 64}
	if got != want {
		t.Errorf("describe = %+v, want %+v", got, want)
	}
}

// The library counts interfaces where it should look for their number; such a device goes to the kernel's driver.
func TestGousbOddNumbers(t *testing.T) {
	g := &gousbDevice{}
	if _, err := g.claim(1, usbInterface{position: 0, number: 2, out: 1}); !errors.Is(err, errUSBKernel) {
		t.Errorf("claim = %v, want %v", err, errUSBKernel)
	}
}

// Whatever USB this machine has, a device that is not there is an error and nothing panics.
func TestGousbOpensNothing(t *testing.T) {
	d, err := libusb().open(254, 254)
	if err == nil {
		d.close()
		t.Fatal("opened a device that is not there")
	}
	if !errors.Is(err, ErrUnplugged) && !errors.Is(err, errUSBKernel) {
		t.Errorf("open = %v", err)
	}
}
