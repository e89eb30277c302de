package escpos

// RealTime picks the real-time commands out of what arrives at a printer, wherever they stand: in the queue, and inside
// the payload of another command, where the same bytes may merely occur (escpos.md 1). It removes nothing: the bytes
// stay in the stream, where the interpreter passes over those between commands and keeps those in a payload. Feed it
// on arrival, before the receive buffer; the zero value is ready.
type RealTime struct {
	buf [10]byte
	n   int
}

// Feed calls fn for each complete real-time command in b. Its Token is as a Tokenizer gives it; End counts from the start
// of b and its memory is valid during the call.
func (r *RealTime) Feed(b []byte, fn func(Token)) {
	for i, c := range b {
		r.buf[r.n] = c
		r.n++
		for r.n > 0 {
			want, ok := realTime(r.buf[:r.n])
			if ok {
				if want == r.n {
					name := named().commands[0][r.buf[1]]
					fn(Token{Kind: TokenCommand, Name: name, Bytes: r.buf[:r.n], Args: r.buf[2:r.n], End: int64(i) + 1, Known: true})
					r.n = 0
				}
				break
			}
			// Not one: look again from the next DLE on.
			k := 1
			for k < r.n && r.buf[k] != dle {
				k++
			}
			copy(r.buf[:], r.buf[k:r.n])
			r.n -= k
		}
	}
}

// realTime gives the length of the real-time command that b begins, as far as b shows it; ok is false when b begins none.
func realTime(b []byte) (n int, ok bool) {
	at := func(i int, fit func(byte) bool) bool { return i >= len(b) || fit(b[i]) }
	is := func(i int, v byte) bool { return i >= len(b) || b[i] == v }
	if b[0] != dle {
		return 0, false
	}
	if len(b) == 1 {
		return 2, true
	}
	switch b[1] {
	case eot:
		if len(b) > 2 && (b[2] == 7 || b[2] == 8) {
			return 4, true
		}
		return 3, at(2, func(v byte) bool { return v >= 1 && v <= 8 && v != 6 })
	case enq:
		return 3, at(2, func(v byte) bool { return v <= 2 })
	case dc4:
		if len(b) == 2 {
			return 3, true
		}
		switch b[2] {
		case 1:
			return 5, at(3, func(v byte) bool { return v <= 1 }) && at(4, func(v byte) bool { return v >= 1 && v <= 8 })
		case 2:
			return 5, is(3, 1) && is(4, 8)
		case 3:
			return 8, is(4, 0) && is(6, 1) && is(7, 0)
		case 7:
			return 4, at(3, func(v byte) bool { return v == 1 || v == 2 || v == 4 || v == 5 })
		case 8:
			return 10, is(3, 1) && is(4, 3) && is(5, 20) && is(6, 1) && is(7, 6) && is(8, 2) && is(9, 8)
		}
	}
	return 0, false
}
