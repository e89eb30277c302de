package journal

import (
	"bufio"
	"crypto/rand"
	"database/sql/driver"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"
)

// ID names a row for everybody outside: a UUID of version 7 (RFC 9562). Its first 48 bits are milliseconds since 1970, the
// 12 bits of rand_a a counter, and 62 bits are random, so that it cannot be guessed. The zero ID names nothing.
type ID [16]byte

// ParseID reads the canonical form, 8-4-4-4-12 hexadecimal digits in either case.
func ParseID(s string) (ID, error) {
	var id ID
	if err := id.UnmarshalText([]byte(s)); err != nil {
		return ID{}, err
	}
	return id, nil
}

// Key is the time and the counter as one positive number. Within one journal it is unique and rises, so a table that has
// it as its rowid grows at its end.
func (id ID) Key() int64 {
	return int64(binary.BigEndian.Uint64(id[:8])>>16)<<12 | int64(binary.BigEndian.Uint16(id[6:8])&0xfff)
}

// KeyAt is the least key of an id that is made at t or later.
func KeyAt(t time.Time) int64 { return t.UnixMilli() << 12 }

// MadeAt is when the id of a key was made, in whole milliseconds and the machine's own zone.
func MadeAt(key int64) time.Time { return time.UnixMilli(key >> 12) }

// IsZero reports whether id names nothing.
func (id ID) IsZero() bool { return id == ID{} }

// String gives the canonical form.
func (id ID) String() string {
	var text [36]byte
	id.encode(&text)
	return string(text[:])
}

// AppendText appends the canonical form.
func (id ID) AppendText(b []byte) ([]byte, error) {
	var text [36]byte
	id.encode(&text)
	return append(b, text[:]...), nil
}

// MarshalText gives the canonical form.
func (id ID) MarshalText() ([]byte, error) { return id.AppendText(nil) }

func (id ID) encode(text *[36]byte) {
	hex.Encode(text[0:8], id[0:4])
	hex.Encode(text[9:13], id[4:6])
	hex.Encode(text[14:18], id[6:8])
	hex.Encode(text[19:23], id[8:10])
	hex.Encode(text[24:36], id[10:16])
	text[8], text[13], text[18], text[23] = '-', '-', '-', '-'
}

var errID = errors.New("not an id; one looks like 019a2f6e-5c1d-7001-8c3a-5d0b7a9e4f12")

// UnmarshalText reads the canonical form. Any UUID is read, whatever its version: ids of others pass through here too.
func (id *ID) UnmarshalText(text []byte) error {
	if len(text) != 36 || text[8] != '-' || text[13] != '-' || text[18] != '-' || text[23] != '-' {
		return errID
	}
	var digits [32]byte
	n := copy(digits[:], text[0:8])
	n += copy(digits[n:], text[9:13])
	n += copy(digits[n:], text[14:18])
	n += copy(digits[n:], text[19:23])
	copy(digits[n:], text[24:36])
	var read ID
	if _, err := hex.Decode(read[:], digits[:]); err != nil {
		return errID
	}
	*id = read
	return nil
}

// Value stores the 16 bytes.
func (id ID) Value() (driver.Value, error) { return id[:], nil }

// Scan reads the 16 bytes back; NULL is the zero ID.
func (id *ID) Scan(src any) error {
	switch b := src.(type) {
	case nil:
		*id = ID{}
		return nil
	case []byte:
		if len(b) == len(id) {
			copy(id[:], b)
			return nil
		}
	}
	return fmt.Errorf("an id is 16 bytes, not %T", src)
}

// keys gives out ids whose keys rise strictly, whatever the clock does.
type keys struct {
	now func() time.Time

	mu     sync.Mutex // guards what follows
	last   int64      // the greatest key given out or found in a table
	random io.Reader
}

func newKeys(now func() time.Time) *keys {
	// The kernel is asked for 32 ids at once.
	return &keys{now: now, random: bufio.NewReaderSize(rand.Reader, 256)}
}

// raise makes every later key greater than floor.
func (k *keys) raise(floor int64) {
	k.mu.Lock()
	k.last = max(k.last, floor)
	k.mu.Unlock()
}

// next makes an id. While the clock stands or runs behind, the counter goes on, borrowing from the milliseconds to come
// when its 12 bits are used up.
func (k *keys) next() ID {
	var id ID
	k.mu.Lock()
	key := max(k.now().UnixMilli()<<12, k.last+1)
	k.last = key
	_, err := io.ReadFull(k.random, id[8:])
	k.mu.Unlock()
	if err != nil {
		panic("journal: the system gives no random bytes: " + err.Error()) // crypto/rand never returns one
	}
	binary.BigEndian.PutUint64(id[:8], uint64(key>>12)<<16|7<<12|uint64(key&0xfff))
	id[8] = id[8]&0x3f | 0x80
	return id
}
