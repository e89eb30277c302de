package fias

import "fmt"

// Parts are what a total is made of (fias.md 6.5). Subtotals are net where tax is added on top, otherwise gross and without
// taxes; discounts are negative. Zero parts are not sent.
type Parts struct {
	Subtotals [9]Amount // S1 to S9
	Taxes     [9]Amount // T1 to T9
	Discounts [9]Amount // D1 to D9
	Service   Amount    // SC
	Tip       Amount    // TP
	Rounding  Amount    // +0, only where S1 to S9 are all in use
}

// Sum is what the total must be: the hotel answers DM otherwise.
func (p *Parts) Sum() Amount {
	sum := p.Service + p.Tip + p.Rounding
	for i := range 9 {
		sum += p.Subtotals[i] + p.Taxes[i] + p.Discounts[i]
	}
	return sum
}

// Any reports whether there is a part at all. A total without parts is a plain posting, and is not held to balance.
func (p *Parts) Any() bool { return *p != Parts{} }

// A BalanceError says that parts do not make their total.
type BalanceError struct{ Total, Sum Amount }

func (e *BalanceError) Error() string {
	return fmt.Sprintf("the parts make %s, the total is %s", e.Sum, e.Total)
}

// Balance holds parts to their total.
func (p *Parts) Balance(total Amount) error {
	if sum := p.Sum(); p.Any() && sum != total {
		return &BalanceError{Total: total, Sum: sum}
	}
	return nil
}

func (p *Parts) encode(e *Encoder) {
	for i, a := range p.Subtotals {
		e.Part(Nth(S1, i+1), a)
	}
	for i, a := range p.Discounts {
		e.Part(Nth(D1, i+1), a)
	}
	for i, a := range p.Taxes {
		e.Part(Nth(T1, i+1), a)
	}
	e.Part(SC, p.Service)
	e.Part(TP, p.Tip)
	e.Part(Plus0, p.Rounding)
}

// take reads one field of the parts; false if it is none, or no amount.
func (p *Parts) take(t Tag, value []byte) bool {
	var to *Amount
	n := byte(t) - '1'
	switch {
	case t == SC:
		to = &p.Service
	case t == TP:
		to = &p.Tip
	case t == Plus0:
		to = &p.Rounding
	case n > 8:
		return false
	case byte(t>>8) == 'S':
		to = &p.Subtotals[n]
	case byte(t>>8) == 'T':
		to = &p.Taxes[n]
	case byte(t>>8) == 'D':
		to = &p.Discounts[n]
	default:
		return false
	}
	a, ok := parseAmount(value)
	*to = a
	return ok
}
