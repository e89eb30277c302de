package xmlpos

import (
	"errors"
	"fmt"
	"strings"
)

// AppendMasked appends frame to dst with the guests in it made unreadable, for those who may see the protocol but not who
// sleeps here: names, titles, references, tracks of cards and attributes nobody knows become ***. A room number in
// InquiryInformation stays. Of what is no element only the length is told.
func AppendMasked(dst, frame []byte) []byte {
	if len(frame) > MaxElement {
		return fmt.Appendf(dst, "(%d bytes)", len(frame))
	}
	p := parser{s: string(frame), charset: UTF8}
	if _, _, err := p.element(); err != nil && !errors.Is(err, ErrUnknown) {
		return fmt.Appendf(dst, "(%d bytes that are no element)", len(frame))
	}
	// The element is well-formed, so that quotes pair up inside tags. Text between tags is of no use in a trace.
	for p.i = 0; ; {
		at := strings.IndexByte(p.s[p.i:], '<')
		if at < 0 {
			return dst
		}
		p.i += at
		from := p.i
		var err error
		switch rest := p.s[p.i:]; {
		case strings.HasPrefix(rest, "<!--"):
			err = p.skip("-->")
		case strings.HasPrefix(rest, "<![CDATA["):
			err = p.skip("]]>")
		case strings.HasPrefix(rest, "<?"):
			err = p.skip("?>")
		case strings.HasPrefix(rest, "</"):
			err = p.skip(">")
			dst = append(append(dst, "</"...), local(p.s[from+2:p.i])...)
		default:
			dst, err = p.maskTag(dst)
		}
		if err != nil {
			return dst
		}
	}
}

func (p *parser) maskTag(dst []byte) ([]byte, error) {
	name, err := p.tag()
	if err != nil {
		return dst, err
	}
	dst = append(append(dst, '<'), name...)
	for _, a := range p.attrs {
		dst = append(append(append(dst, ' '), a.name...), `="`...)
		switch {
		case open(a):
			dst = Dialect{}.appendText(dst, p.text(a.value))
		case a.value != "":
			dst = append(dst, "***"...)
		}
		dst = append(dst, '"')
	}
	if p.empty {
		dst = append(dst, " /"...)
	}
	return append(dst, '>'), nil
}

// openAttrs say nothing of a guest.
var openAttrs = []string{
	"SequenceNumber", "AnswerStatus", "ResponseText", "RoomNumber", "ReservationId", "ProfileId", "HotelId", "PaymentMethod", "RevenueCenter", "WaiterId",
	"WorkstationId", "Date", "Time", "VerNum", "MaximumReturnedMatches", "RequestType", "MatchfromPostList", "TotalAmount", "CreditLimitOverride", "Covers",
	"ServingTime", "CheckNumber", "Tip", "NoPost", "CreditLimit", "PostingDescription",
}

// open reports an attribute whose value may be shown.
func open(a rawAttr) bool {
	for _, name := range openAttrs {
		if same(a.name, name) {
			return true
		}
	}
	if same(a.name, "InquiryInformation") {
		return len(a.value) <= 6 && a.value != "" && a.value[0] >= '0' && a.value[0] <= '9'
	}
	for _, group := range [][]string{subtotals, discounts, serviceCharges, taxes} {
		for _, name := range group {
			if same(a.name, name) {
				return true
			}
		}
	}
	return false
}
