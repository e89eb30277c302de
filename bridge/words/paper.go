package words

// Paper is the words of a kitchen ticket on paper and of its envelope. The same words stand on kitchen screens. Every
// word can be written in the code pages PC850, PC858 and WPC1252, so that no printer needs a picture for them.
type Paper struct {
	Table, Order, Covers, Staff   string
	Due, At, Course, Notes        string
	Allergy                       string // heads an allergy note and a marked line
	Changed, Cancelled            string // head of a change or cancel ticket
	Added, Removed                string // before a line
	Reprint                       string // {0}: number of the copy
	FirstSent                     string // {0}: ticket words, {1}: time
	Reason                        string // {0}
	NotCertain                    string // may already be on paper
	For                           string // {0}: station a rerouted ticket belongs to
	NotInPOS                      string
	TestPage, TestText            string
	DineIn, Delivery, Pickup      string
	Sequence                      string // {0}: per-printer number in the tail
	AlsoAt                        string // {0}: other stations
	Fire                          string // head of the paper that follows one which was held
	Printer, Copy, Held, Customer string
}

// Paper gives the paper words of the language. Words with places are filled with [Fill].
func (c *Catalogue) Paper() Paper {
	return Paper{
		Table: c.T("paper.table"), Order: c.T("paper.order"), Covers: c.T("paper.covers"), Staff: c.T("paper.staff"),
		Due: c.T("paper.due"), At: c.T("paper.at"), Course: c.T("paper.course"), Notes: c.T("paper.notes"),
		Allergy: c.T("paper.allergy"), Changed: c.T("paper.changed"), Cancelled: c.T("paper.cancelled"),
		Added: c.T("paper.added"), Removed: c.T("paper.removed"), Reprint: c.T("paper.reprint"),
		FirstSent: c.T("paper.first_sent"), Reason: c.T("paper.reason"), NotCertain: c.T("paper.not_certain"),
		For: c.T("paper.for"), NotInPOS: c.T("paper.not_in_pos"),
		TestPage: c.T("paper.test_page"), TestText: c.T("paper.test_text"),
		DineIn: c.T("paper.dine_in"), Delivery: c.T("paper.delivery"), Pickup: c.T("paper.pickup"),
		Sequence: c.T("paper.sequence"), AlsoAt: c.T("paper.also_at"), Printer: c.T("paper.printer"),
		Fire: c.T("paper.fire"), Copy: c.T("paper.copy"), Held: c.T("paper.held"), Customer: c.T("paper.customer"),
	}
}

// Fill puts arguments into the places {0}, {1} … of a sentence of [Paper].
func Fill(sentence string, args ...any) string { return fill(sentence, args) }
