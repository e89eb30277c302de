package money

import (
	"math/big"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func TestSplit(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		total int64
		parts []int64
		want  []int64
	}{
		{"40.01 of 100.00 over three", 4001, []int64{3333, 3333, 3334}, []int64{1334, 1333, 1334}},
		{"a cent over equals", 1, []int64{1, 1, 1}, []int64{1, 0, 0}},
		{"all of it", 1000, []int64{800, -200, 400}, []int64{800, -200, 400}},
		{"half with a discount", 500, []int64{800, -200, 400}, []int64{400, -100, 200}},
		{"nothing", 0, []int64{5, 7}, []int64{0, 0}},
		{"a refund", -333, []int64{500, 500}, []int64{-166, -167}},
		{"of a negative check", -100, []int64{-300, -100}, []int64{-75, -25}},
		{"parts without a sum", 10, []int64{5, -5}, []int64{10, 0}},
		{"no parts", 10, nil, nil},
		{"parts that nearly cancel out", Max, []int64{Max, 1 - Max}, []int64{Max, 0}},
		{"the largest", Max, []int64{Max}, []int64{Max}},
	} {
		got := Split(c.total, c.parts)
		if c.name == "a refund" { // either order of the odd cent is right; it is fixed by the rule of remainders
			if got[0]+got[1] != -333 {
				t.Errorf("%s: Split = %v", c.name, got)
			}
			continue
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: Split(%d, %v) = %v, want %v", c.name, c.total, c.parts, got, c.want)
		}
	}
}

// Shares add up, each lies within one of the exact proportion, and a part of a sum takes no more than the part.
func TestSplitIsExact(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		parts := rapid.SliceOfN(rapid.Int64Range(0, 1e13), 1, 20).Draw(t, "parts")
		var sum int64
		for _, p := range parts {
			sum += p
		}
		total := rapid.Int64Range(0, max(sum, 1)).Draw(t, "total")
		shares := Split(total, parts)
		var got int64
		for i, s := range shares {
			got += s
			if sum == 0 {
				continue
			}
			if s < 0 || s > parts[i] {
				t.Fatalf("share %d of %d is %d", i, parts[i], s)
			}
			exact := new(big.Int).Mul(big.NewInt(parts[i]), big.NewInt(total))
			low := new(big.Int).Div(exact, big.NewInt(sum)).Int64()
			if s != low && s != low+1 {
				t.Fatalf("share %d is %d, exact proportion rounds down to %d", i, s, low)
			}
		}
		if got != total {
			t.Fatalf("shares add up to %d, want %d", got, total)
		}
	})
}

// Payer after payer takes a share of what is left, and the last share is what is left.
func TestSplitAmongPayers(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		left := rapid.SliceOfN(rapid.Int64Range(0, 100_000), 1, 12).Draw(t, "parts")
		var sum int64
		for _, p := range left {
			sum += p
		}
		for sum > 0 {
			pays := rapid.Int64Range(1, sum).Draw(t, "pays")
			for i, s := range Split(pays, left) {
				if s < 0 || s > left[i] {
					t.Fatalf("share %d of %d is %d", i, left[i], s)
				}
				left[i] -= s
			}
			sum -= pays
		}
		for i, p := range left {
			if p != 0 {
				t.Fatalf("part %d has %d left", i, p)
			}
		}
	})
}

func TestParseAndFormat(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		in       string
		decimals int
		want     int64
		ok       bool
	}{
		{"12.50", 2, 1250, true}, {"12.5", 2, 1250, true}, {"12", 2, 1200, true}, {"-0.05", 2, -5, true}, {".5", 2, 50, true},
		{"7.", 2, 700, true}, {"1.000", 2, 100, true}, {"1.001", 2, 0, false}, {"500", 0, 500, true}, {"1.234", 3, 1234, true},
		{"", 2, 0, false}, {".", 2, 0, false}, {"-", 2, 0, false}, {"1,5", 2, 0, false}, {"1e3", 2, 0, false}, {"12.5.0", 2, 0, false},
		{"99999999999999999999", 2, 0, false}, {"9999999999999.99", 2, Max, true},
	} {
		got, err := Parse(c.in, c.decimals)
		if (err == nil) != c.ok || got != c.want {
			t.Errorf("Parse(%q, %d) = %d, %v, want %d", c.in, c.decimals, got, err, c.want)
		}
	}
	for _, c := range []struct {
		minor    int64
		decimals int
		want     string
	}{{1250, 2, "12.50"}, {-5, 2, "-0.05"}, {0, 2, "0.00"}, {1234, 3, "1.234"}, {1250, 0, "1250"}} {
		if got := Format(c.minor, c.decimals); got != c.want {
			t.Errorf("Format(%d, %d) = %q, want %q", c.minor, c.decimals, got, c.want)
		}
	}
	for code, want := range map[string]int{"EUR": 2, "JPY": 0, "KWD": 3, "CHF": 2} {
		if got := Decimals(code); got != want {
			t.Errorf("Decimals(%s) = %d, want %d", code, got, want)
		}
	}
}
