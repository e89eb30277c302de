// Package delivery takes the orders of delivery aggregators and tells the aggregators what became of them.
//
//	webhook, feed ──> Receive ──> order, in the order's own commit      (inbound)
//	an order's steps ──> Follow ──> a call in the outbox ──> aggregator  (outbound)
//
// A message that was answered is on disk with all that follows from it: the order, its tickets and print jobs, its place in the
// POS's queue and what the aggregator is to be told. What goes out is kept until the aggregator took it, refused it, or a day
// has passed; answers to new orders go before cancellations, those before progress (spec/delivery.md 5.5).
//
// The same order is one order, whatever brings it: the event again, another event, the feed, or a second integrator. Its key
// is the marketplace and the marketplace's own id, for ever. What comes late or out of order is judged by its rank and its
// time, not by when it arrived.
//
// Words: a link is one aggregator with its store; a channel is a marketplace behind it, named by its slug; an order is observed
// when it is written down without being cooked, because another system still does that.
package delivery
