package kitchen

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"aboyeur/bridge/access"
	"aboyeur/bridge/journal"
)

// SoldOut is a dish that the kitchen has no more of. It is a row of the journal until somebody says that it is back; each
// change is a row of the feed, kind "menu", from which tills and delivery platforms are told.
type SoldOut struct {
	SKU     string    `json:"sku"`
	Name    string    `json:"name"`
	SoldOut bool      `json:"sold_out"`
	At      time.Time `json:"at"`
	By      string    `json:"by,omitzero"`
}

// maxSoldOut bounds the dishes that are sold out at once; a menu has fewer.
const maxSoldOut = 1000

// ErrSoldOutFull reports that more dishes are sold out than any menu has.
var ErrSoldOutFull = errors.New("too many dishes are sold out")

const (
	selectSoldOut  = `SELECT sku, name, at, by FROM sold_out ORDER BY at`
	selectOneSold  = `SELECT sku, name, at, by FROM sold_out WHERE sku = ?`
	countSoldOut   = `SELECT count(*) FROM sold_out`
	insertSoldOut  = `INSERT INTO sold_out (sku, name, at, by) VALUES (?, ?, ?, ?)`
	deleteSoldOut  = `DELETE FROM sold_out WHERE sku = ?`
	changeSoldOut  = "menu" // kind of its rows in the feed
	settingStation = "station/"
)

func scanSoldOut(scan func(...any) error) (s SoldOut, err error) {
	var at int64
	err = scan(&s.SKU, &s.Name, &at, &s.By)
	s.SoldOut, s.At = true, journal.FromMicros(at)
	return s, err
}

// SellOut says that a dish is sold out, or back. Saying again what is so changes nothing.
func (k *Kitchen) SellOut(ctx context.Context, by access.Principal, key, sku, name string, out bool) (SoldOut, error) {
	s := SoldOut{SKU: sku, Name: name, SoldOut: out}
	act := "item_back"
	if out {
		act = "item_sold_out"
	}
	err := k.c.Journal.Write(ctx, func(tx *journal.Tx) error {
		replayed := false
		if key != "" {
			_, again, err := tx.Idempotent(by.Subject(), key, digestOf(act+" "+sku), sku)
			if err != nil {
				return err
			}
			replayed = again
		}
		var was *SoldOut
		err := tx.Query(selectOneSold, []any{sku}, func(scan func(...any) error) error {
			found, err := scanSoldOut(scan)
			was = &found
			return err
		})
		switch {
		case err != nil:
			return err
		case replayed: // it shows how it stands today
			if s.SoldOut = was != nil; was != nil {
				s = *was
			}
			return nil
		case out && was != nil:
			s = *was
			return nil
		case !out && was == nil:
			s.At, s.By = tx.Now().UTC().Truncate(time.Millisecond), by.Name
			return nil
		}
		s.At, s.By = tx.Now().UTC().Truncate(time.Millisecond), by.Name
		if out {
			var n int
			if err := tx.QueryRow(countSoldOut, nil, &n); err != nil {
				return err
			}
			if n >= maxSoldOut {
				return ErrSoldOutFull
			}
			if s.Name == "" {
				s.Name = sku
			}
			_, err = tx.Exec(insertSoldOut, sku, s.Name, s.At.UnixMicro(), by.Name)
		} else {
			s.Name = was.Name
			_, err = tx.Exec(deleteSoldOut, sku)
		}
		if err != nil {
			return fmt.Errorf("store that %s is sold out: %w", sku, err)
		}
		if err := access.Record(tx, by, act, sku, s.Name); err != nil {
			return err
		}
		tx.Change(changeSoldOut, sku, encode(s))
		return nil
	})
	return s, err
}

// SoldOut lists what is sold out, the oldest first.
func (k *Kitchen) SoldOut() []SoldOut {
	k.board.mu.Lock()
	defer k.board.mu.Unlock()
	return slices.Clone(k.board.soldOut)
}

// sell follows the feed: what is sold out changed.
func (b *Board) sell(seq int64, payload []byte) {
	var s SoldOut
	if unmarshal(payload, &s) != nil || s.SKU == "" {
		return // another feature's word about the menu
	}
	b.soldOut = slices.DeleteFunc(slices.Clone(b.soldOut), func(o SoldOut) bool { return o.SKU == s.SKU })
	if s.SoldOut {
		b.soldOut = append(b.soldOut, s)
	}
	b.tellAll(seq, "sold-out", payload)
}
