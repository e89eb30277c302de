//go:build linux && cgo

package port

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/google/gousb"
)

// libusb reaches USB devices through github.com/google/gousb.
func libusb() usbBackend { return gousbBackend{} }

// HasLibusb reports that this build opens USB printers through libusb; another has the kernel's driver only.
const HasLibusb = true

type gousbBackend struct{}

// open makes a context a device: what belongs to one printer ends with it.
func (gousbBackend) open(bus, address int) (usbDevice, error) {
	c, err := newContext()
	if err != nil {
		return nil, err
	}
	found, err := c.OpenDevices(func(d *gousb.DeviceDesc) bool { return d.Bus == bus && d.Address == address })
	if len(found) != 1 {
		for _, d := range found {
			d.Close()
		}
		c.Close()
		if err == nil {
			err = errUSBGone
		}
		return nil, translate(err)
	}
	d := found[0] // an error is then about another device
	d.ControlTimeout = usbControl
	return &gousbDevice{c, d}, nil
}

// newContext is gousb.NewContext, which panics where libusb cannot start.
func newContext() (c *gousb.Context, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%w: libusb does not start: %v", errUSBKernel, r)
		}
	}()
	return gousb.NewContext(), nil
}

type gousbDevice struct {
	context *gousb.Context
	d       *gousb.Device
}

func (g *gousbDevice) interfaces() (int, []usbInterface, error) {
	active, err := g.d.ActiveConfigNum()
	if err != nil {
		return 0, nil, translate(err)
	}
	config, ok := g.d.Desc.Configs[active]
	if !ok { // not configured: take the first
		for n, c := range g.d.Desc.Configs {
			if active == 0 || n < active {
				active, config = n, c
			}
		}
	}
	var all []usbInterface
	for position, i := range config.Interfaces {
		for _, s := range i.AltSettings {
			all = append(all, describe(position, s))
		}
	}
	return active, all, nil
}

func describe(position int, s gousb.InterfaceSetting) usbInterface {
	i := usbInterface{position: position, number: s.Number, alternate: s.Alternate,
		class: byte(s.Class), sub: byte(s.SubClass), protocol: byte(s.Protocol)}
	var addresses []gousb.EndpointAddress
	for a, e := range s.Endpoints {
		if e.TransferType == gousb.TransferTypeBulk {
			addresses = append(addresses, a)
		}
	}
	slices.Sort(addresses)
	for _, a := range addresses {
		e := s.Endpoints[a]
		switch {
		case e.Direction == gousb.EndpointDirectionIn && i.in == 0:
			i.in, i.packet = e.Number, e.MaxPacketSize
		case e.Direction == gousb.EndpointDirectionOut && i.out == 0:
			i.out = e.Number
		}
	}
	return i
}

// claim claims before any class request: a request first makes the kernel claim the interface silently, and ours fails
// then. Config sets a configuration only when another one is active, so the printer keeps its state.
func (g *gousbDevice) claim(config int, i usbInterface) (usbPipes, error) {
	if i.number != i.position {
		// gousb v1.1.3 takes the number for the position in its list, and panics beyond the end.
		return nil, fmt.Errorf("%w: its interfaces are not numbered from 0", errUSBKernel)
	}
	if err := g.d.SetAutoDetach(true); err != nil {
		return nil, translate(err)
	}
	c, err := g.d.Config(config)
	if err != nil {
		return nil, translate(err)
	}
	p := &gousbPipes{c: c}
	if p.i, err = c.Interface(i.number, i.alternate); err != nil {
		c.Close()
		return nil, translate(err)
	}
	p.out, err = p.i.OutEndpoint(i.out)
	if err == nil && i.in != 0 {
		p.in, err = p.i.InEndpoint(i.in)
	}
	if err != nil {
		return nil, errors.Join(translate(err), p.release())
	}
	return p, nil
}

func (g *gousbDevice) control(kind, request byte, value, index uint16, data []byte) (int, error) {
	n, err := g.d.Control(kind, request, value, index, data)
	return max(n, 0), translate(err)
}

func (g *gousbDevice) reset() error { return translate(g.d.Reset()) }

func (g *gousbDevice) close() error {
	return errors.Join(translate(g.d.Close()), translate(g.context.Close()))
}

type gousbPipes struct {
	c   *gousb.Config
	i   *gousb.Interface
	out *gousb.OutEndpoint
	in  *gousb.InEndpoint
}

func (p *gousbPipes) write(ctx context.Context, b []byte) (int, error) {
	n, err := p.out.WriteContext(ctx, b)
	if submit := gousb.Error(0); errors.As(err, &submit) {
		// An error of the call, not a status of the transfer: it never began.
		return 0, errors.Join(errUSBNotSent, translate(err))
	}
	return n, translate(err)
}

func (p *gousbPipes) read(ctx context.Context, b []byte) (int, error) {
	n, err := p.in.ReadContext(ctx, b)
	return n, translate(err)
}

func (p *gousbPipes) release() error {
	p.i.Close()
	return translate(p.c.Close())
}

// translate puts gousb's errors into ours. Some of gousb's carry libusb's in their text only.
func translate(err error) error {
	if err == nil {
		return nil
	}
	for _, known := range []struct {
		theirs error
		ours   error
	}{
		{gousb.ErrorNoDevice, errUSBGone}, {gousb.TransferNoDevice, errUSBGone},
		{gousb.ErrorPipe, errUSBHalted}, {gousb.TransferStall, errUSBHalted},
		{gousb.ErrorAccess, errUSBAccess}, {gousb.ErrorBusy, errUSBBusy},
		// The device left while libusb was asking for it.
		{gousb.ErrorNotFound, errUSBGone},
	} {
		if errors.Is(err, known.theirs) || strings.Contains(err.Error(), known.theirs.Error()) {
			return fmt.Errorf("%w (%v)", known.ours, err)
		}
	}
	return err
}
