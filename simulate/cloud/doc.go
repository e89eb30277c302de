// Package cloud is what simulated web services have in common: routes with tokens and limits, a record of every call, webhooks
// that are repeated until they are taken, and faults. What a service says and understands is its own: simulate/bookings is the
// reservation platforms', simulate/otter and its neighbours the delivery aggregators'.
//
// Faults strike calls (401, 429, 5xx, silence, answers lost after the deed) and webhooks (late, twice, out of order, forged), by
// rate or by name for the next call.
package cloud
