package opera

import "testing"

// BenchmarkPosting is a posting and its answer over loopback: what the simulator adds to a vendor's time.
func BenchmarkPosting(b *testing.B) {
	_, v := up(b, Config{})
	v.inquire(1, "2781")
	record := []byte(posting(2, 1))
	b.ReportAllocs()
	for b.Loop() {
		if err := v.conn.Send(b.Context(), record); err != nil {
			b.Fatal(err)
		}
		if _, err := v.conn.Receive(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}
