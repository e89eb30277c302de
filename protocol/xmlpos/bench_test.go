package xmlpos

import (
	"strconv"
	"testing"
)

// benchList is a PostList of about 2000 bytes.
func benchList() *PostList {
	l := &PostList{Sequence: 1234, Hotel: "1", PaymentMethod: "16", RevenueCenter: "1", Waiter: "Waiter1", Workstation: "POS1", At: at(2026, 8, 21, 19, 4, 5)}
	for i := range 11 {
		l.Items = append(l.Items, PostListItem{Room: "217", Reservation: strconv.Itoa(24331 + i), LastName: "Guest-" + strconv.Itoa(i), FirstName: "Jo",
			Title: "Mrs", CreditLimit: "500.00", Profile: "1001", Hotel: "1"})
	}
	return l
}

func benchDecode(b *testing.B, e Element) {
	wire := Dialect{}.AppendAsIs(nil, e)
	b.SetBytes(int64(len(wire)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := (Dialect{}).Decode(wire); err != nil {
			b.Fatal(err)
		}
	}
}

func benchAppend(b *testing.B, e Element) {
	wire := make([]byte, 0, 8<<10)
	b.SetBytes(int64(len(Dialect{}.AppendAsIs(nil, e))))
	b.ReportAllocs()
	for b.Loop() {
		var err error
		if wire, err = (Dialect{}).Append(wire[:0], e); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDecodePostAnswer(b *testing.B)  { benchDecode(b, samples[7].want) }
func BenchmarkDecodePostRequest(b *testing.B) { benchDecode(b, samples[6].want) }
func BenchmarkDecodePostList(b *testing.B)    { benchDecode(b, benchList()) }
func BenchmarkAppendPostInquiry(b *testing.B) { benchAppend(b, samples[4].want) }
func BenchmarkAppendPostRequest(b *testing.B) { benchAppend(b, samples[6].want) }
func BenchmarkAppendPostList(b *testing.B)    { benchAppend(b, benchList()) }
