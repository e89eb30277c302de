// Package deliverect is Deliverect for one location as its POS (spec/delivery.md 10): the order webhook, the statuses that go
// back, and the products. The types are the wire's; Channel and Decode turn them into the house's model, leniently.
//
// Deliverect sends no event ids, no currency and no name of the marketplace: an event is named by its order, status and time of
// change, the currency is the location's, and what a channel's number stands for is configuration. See docs/delivery-partners.md
// for what Deliverect has to confirm.
package deliverect
