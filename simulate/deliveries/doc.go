// Package deliveries is what the simulated delivery aggregators have in common: a book of orders, guests who order, change and
// cancel, and a ledger of everything that was done to an order. The web service under it, its record of calls and its faults are
// simulate/cloud. How an aggregator says and hears things is its Dialect: simulate/otter, deliverect and ubereats are one each.
//
// The ledger is the judge of whoever calls: it has each order once, with every answer and act in the order in which they came,
// and with how often one came again.
package deliveries
