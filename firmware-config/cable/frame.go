package cable

import (
	"encoding/binary"
	"hash/crc32"
	"io"
)

// A frame is what goes over the line in one piece:
//
//	A5 5A | kind 1 | id 4 | length 2 | check of these 1 | payload | CRC-32C of all behind A5 5A 4
//
// The check of the head keeps a damaged length from swallowing what follows.
type frame struct {
	kind    byte
	id      uint32 // of a question, repeated in its answer; of data its offset
	payload []byte
}

const (
	maxPayload = 1024
	headSize   = 10
	tailSize   = 4
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// appendTo writes the frame behind b.
func (f frame) appendTo(b []byte) []byte {
	start := len(b)
	b = append(b, 0xA5, 0x5A, f.kind)
	b = binary.BigEndian.AppendUint32(b, f.id)
	b = binary.BigEndian.AppendUint16(b, uint16(len(f.payload)))
	b = append(b, headCheck(b[start+2:]))
	b = append(b, f.payload...)
	return binary.BigEndian.AppendUint32(b, crc32.Checksum(b[start+2:], castagnoli))
}

// headCheck is the check byte of kind, id and length.
func headCheck(b []byte) byte {
	c := crc32.Checksum(b, castagnoli)
	return byte(c ^ c>>8 ^ c>>16 ^ c>>24)
}

// scanner finds frames in what comes off a line, and passes over what is none.
type scanner struct {
	r          io.Reader
	buf        [4 * (headSize + maxPayload + tailSize)]byte
	start, end int // of what is not yet used
	skipped    int // bytes that were in no frame
}

// next gives the next whole frame. Its payload is good until the next call.
func (s *scanner) next() (frame, error) {
	for {
		if f, ok := s.find(); ok {
			return f, nil
		}
		if s.start > 0 {
			copy(s.buf[:], s.buf[s.start:s.end])
			s.start, s.end = 0, s.end-s.start
		}
		n, err := s.r.Read(s.buf[s.end:])
		s.end += n
		if n == 0 && err != nil {
			return frame{}, err
		}
	}
}

// find takes a frame out of the buffer; what cannot begin one is passed over.
func (s *scanner) find() (frame, bool) {
	for ; s.start < s.end; s.start, s.skipped = s.start+1, s.skipped+1 {
		b := s.buf[s.start:s.end]
		if b[0] != 0xA5 || len(b) > 1 && b[1] != 0x5A {
			continue
		}
		if len(b) < headSize {
			return frame{}, false
		}
		n := int(binary.BigEndian.Uint16(b[7:]))
		if n > maxPayload || headCheck(b[2:9]) != b[9] {
			continue
		}
		if len(b) < headSize+n+tailSize {
			return frame{}, false
		}
		if crc32.Checksum(b[2:headSize+n], castagnoli) != binary.BigEndian.Uint32(b[headSize+n:]) {
			continue
		}
		s.start += headSize + n + tailSize
		return frame{b[2], binary.BigEndian.Uint32(b[3:]), b[headSize : headSize+n]}, true
	}
	return frame{}, false
}
