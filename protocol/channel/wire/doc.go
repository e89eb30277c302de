// Package wire is what the clients of delivery aggregators share below their own words: values that are read leniently, because
// an order must not be lost over a field nobody needs; exact amounts; the check of what a price is per; signatures over the raw
// bytes of a webhook; and the aggregators' limits, kept before a call is made.
package wire
