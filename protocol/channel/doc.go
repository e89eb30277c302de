// Package channel is what the delivery aggregators have in common: an order of a marketplace with its lines and charges, the
// events that an aggregator sends, what it is told back, the menu it shows, and the interface that the client of each
// aggregator has. It holds values and speaks with nobody.
//
// Words: an aggregator (Otter, Deliverect, Uber Eats) is who speaks with the box; a partner or marketplace is where the guest
// ordered, told apart by its slug; a Ref names an order on the wire; an event is one thing an aggregator says. The model is
// that of spec/delivery.md 1, the events those of 5.3, the menu that of 6.1.
package channel
