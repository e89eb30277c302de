package cutdisk

import (
	"errors"
	"io"
	"math/rand/v2"
	"slices"
	"sync"
)

// sectorSize is what a disk writes whole or not at all, in bytes.
const sectorSize = 512

// A Backing is where flushed sectors lie: a file.
type Backing interface {
	io.ReaderAt
	io.WriterAt
}

var errCut = errors.New("the disk has no power")

// A Disk holds writes in a cache until they are flushed. Its methods may be called from any goroutine.
type Disk struct {
	size int64

	mu      sync.Mutex // guards what follows
	backing Backing
	cache   map[int64][][]byte // sector number to what was written there since the last flush, oldest first
	cut     bool
	flushes int
}

// New makes a disk of size bytes, a multiple of 512, over backing.
func New(backing Backing, size int64) *Disk {
	return &Disk{size: size - size%sectorSize, backing: backing, cache: map[int64][][]byte{}}
}

// Size is its size in bytes.
func (d *Disk) Size() int64 { return d.size }

// Flushes counts how often it was flushed.
func (d *Disk) Flushes() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.flushes
}

// Cached counts the sectors that were written and not flushed.
func (d *Disk) Cached() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.cache)
}

// inside tells whether a request lies on the disk and on whole sectors.
func (d *Disk) inside(offset int64, n int) bool {
	return offset >= 0 && offset%sectorSize == 0 && n%sectorSize == 0 && int64(n) <= d.size && offset <= d.size-int64(n)
}

// ReadAt reads whole sectors as they were written last, flushed or not.
func (d *Disk) ReadAt(p []byte, offset int64) (int, error) {
	if !d.inside(offset, len(p)) {
		return 0, errors.New("outside the disk")
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.cut {
		return 0, errCut
	}
	if n, err := d.backing.ReadAt(p, offset); err != nil && (err != io.EOF || n < len(p)) {
		return n, err
	}
	for i := 0; i < len(p); i += sectorSize {
		if written := d.cache[(offset+int64(i))/sectorSize]; len(written) > 0 {
			copy(p[i:i+sectorSize], written[len(written)-1])
		}
	}
	return len(p), nil
}

// WriteAt takes whole sectors into the cache.
func (d *Disk) WriteAt(p []byte, offset int64) (int, error) {
	if !d.inside(offset, len(p)) {
		return 0, errors.New("outside the disk")
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.cut {
		return 0, errCut
	}
	for i := 0; i < len(p); i += sectorSize {
		n := (offset + int64(i)) / sectorSize
		d.cache[n] = append(d.cache[n], slices.Clone(p[i:i+sectorSize]))
	}
	return len(p), nil
}

// Flush puts the whole cache on the backing.
func (d *Disk) Flush() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.cut {
		return errCut
	}
	d.flushes++
	for n, written := range d.cache {
		if _, err := d.backing.WriteAt(written[len(written)-1], n*sectorSize); err != nil {
			return err
		}
	}
	clear(d.cache)
	return nil
}

// Cut takes the power: of each sector that was not flushed what it held before or any of what was written since is there
// afterwards, one independent of the other. It gives how many sectors were in the cache and how many of them are not as they
// were written last. Nothing is read or written any more.
func (d *Disk) Cut(random *rand.Rand) (cached, lost int, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.cut {
		return 0, 0, nil
	}
	d.cut = true
	numbers := make([]int64, 0, len(d.cache))
	for n := range d.cache {
		numbers = append(numbers, n)
	}
	slices.Sort(numbers) // the same seed loses the same sectors
	for _, n := range numbers {
		written := d.cache[n]
		last := len(written) - 1
		kept := last
		if random.IntN(2) == 0 {
			kept = random.IntN(len(written)+1) - 1
		}
		if kept < last {
			lost++
		}
		if kept < 0 {
			continue
		}
		if _, e := d.backing.WriteAt(written[kept], n*sectorSize); err == nil {
			err = e
		}
	}
	cached = len(d.cache)
	d.cache = nil
	return cached, lost, err
}
