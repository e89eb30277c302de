package firmwareconfig

// A feature is a part of the configuration that has a subject only once something serves it.
type feature int

const (
	hotelLink feature = iota
	reservationLink
	deliveryLink
	otherPOS
	fleetHub
	usbPrinter
	serialPrinter
	outputPOS
)

// features says which of them this build serves. What is not served is checked in full all the same, and using it is an
// error: silence would look like a link that works. Serving one more is flipping its first word.
var features = [...]struct {
	served bool
	what   string
	remedy string
}{
	hotelLink:       {true, "serve a hotel link", "remove the section or write kind: none"},
	reservationLink: {true, "serve a reservation platform", "remove the entry or write enabled: false"},
	deliveryLink:    {true, "serve a delivery aggregator", "remove the entry and send its orders to POST /v1/orders"},
	otherPOS:        {true, "hand orders to another POS", "write kind: builtin"},
	fleetHub:        {false, "report to a hub", "write servers: []"},
	usbPrinter:      {true, "print over USB", "connect the printer by network and write tcp:HOST:PORT"},
	serialPrinter:   {true, "print over a serial line", "connect the printer by network and write tcp:HOST:PORT"},
	outputPOS:       {true, "leave kitchen tickets to the POS", "write output: box"},
}

// need reports key when this build does not serve f.
func (d *decoder) need(f feature, key string, p position) {
	if !features[f].served {
		d.fault(p, key, "this version of aboyeur cannot "+features[f].what+" yet", features[f].remedy)
	}
}
