// Package pos is what stands between the box and a till that is not its own (spec/pos.md).
//
// Adapter is what the box asks of a till, whichever it is; KSeries and OSeries are tills that are called. A reference is chosen
// by the box before the first attempt and stays: a call whose outcome is not known is followed by FindByReference, and an
// adapter never repeats an order by itself.
//
// Queue is for a till that calls: Bepoz. What happened there is on disk before it is acknowledged, in the order of its numbers
// and each once, and is then done at the box's own floor, one till after the other. A message that the floor refuses is kept
// with its cause, and those after it go on. The same till asks for the bookings, and opens those whose party sits.
package pos
