// Package ubereats is Uber Eats Marketplace for one store, without an aggregator between (spec/delivery.md 10). A webhook only
// says that there is something; the order is fetched, and has to be accepted or denied within AcceptIn. The types are the
// wire's; Channel and Decode turn them into the house's model, leniently.
package ubereats
