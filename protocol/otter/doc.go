// Package otter is Otter's Public API for one store: its webhooks, the calls that answer them, the manager's calls on orders,
// menus and the storefront, and the feed (spec/delivery.md 5, 6). The types are the wire's; Channel, Menu and Decode turn them
// into the house's model, leniently: fields come without notice and must not lose an order.
//
// What the public specification leaves open is decided so: a signature may be hexadecimal or base64; a price is per unit unless
// only the other reading makes the subtotal; an event without a time or with one that is malformed is taken. See
// docs/delivery-partners.md for what Otter has to confirm.
package otter
