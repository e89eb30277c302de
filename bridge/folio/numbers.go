package folio

import (
	"context"
	"fmt"
	"sync"

	"aboyeur/bridge/journal"
)

// P# runs from 1 to 99999999 and starts anew (spec/fias.md 6.3).
const (
	lastNumber  = 99_999_999
	rangeLength = 1000 // set aside by one write; a restart leaves the rest of it unused
)

// numbers gives out P#. A range of them is set aside in the journal before the first of it is used, so that no number is
// ever given out twice, whatever happens to the program. Those of postings whose outcome is still unknown are left out.
type numbers struct {
	journal *journal.Journal

	mu    sync.Mutex // guards what follows; held while a range is fetched, since everybody waits for it
	next  int64
	last  int64 // of the range; next > last: none is left
	taken map[int64]bool
}

const (
	selectReserved = `SELECT reserved FROM posting_numbers WHERE one = 1`
	updateReserved = `UPDATE posting_numbers SET reserved = ? WHERE one = 1`
	selectTaken    = `SELECT number FROM postings WHERE watch > 0 AND number BETWEEN ? AND ? AND state IN ('sending', 'unknown')`
)

// take gives the next number.
func (n *numbers) take(ctx context.Context) (int64, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for {
		for n.next != 0 && n.next <= n.last {
			number := n.next
			n.next++
			if !n.taken[number] {
				return number, nil
			}
		}
		if err := n.fetch(ctx); err != nil {
			return 0, err
		}
	}
}

func (n *numbers) fetch(ctx context.Context) error {
	var first, last int64
	var taken map[int64]bool
	err := n.journal.Insist(ctx, func(tx *journal.Tx) error {
		var reserved int64
		if err := tx.QueryRow(selectReserved, nil, &reserved); err != nil {
			return err
		}
		if first = reserved + 1; first > lastNumber {
			first = 1
		}
		last = min(first+rangeLength-1, lastNumber)
		taken = map[int64]bool{}
		err := tx.Query(selectTaken, []any{first, last}, func(scan func(...any) error) error {
			var number int64
			if err := scan(&number); err != nil {
				return err
			}
			taken[number] = true
			return nil
		})
		if err != nil {
			return err
		}
		_, err = tx.Exec(updateReserved, last)
		return err
	})
	if err != nil {
		return fmt.Errorf("set posting numbers aside: %w", err)
	}
	n.next, n.last, n.taken = first, last, taken
	return nil
}
