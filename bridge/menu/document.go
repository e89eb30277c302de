package menu

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"

	"github.com/go-json-experiment/json"

	"aboyeur/bridge/journal"
)

// partSize is how much of a document one transaction writes: a few pages, among which an order's commit is not felt.
const partSize = 48 << 10

// maxDocument bounds what a document may become when it is read, in bytes of JSON.
const maxDocument = 64 << 20

const (
	insertPart     = `INSERT INTO menu_parts (generation, part, content) VALUES (?, ?, ?)`
	selectParts    = `SELECT p.content FROM menu_documents d JOIN menu_parts p ON p.generation = d.generation WHERE d.name = ? ORDER BY p.part`
	selectDocument = `SELECT generation FROM menu_documents WHERE name = ?`
	upsertDocument = `INSERT INTO menu_documents (name, generation, at) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET generation = excluded.generation, at = excluded.at`
	deleteDocument = `DELETE FROM menu_documents WHERE name = ?`
	deleteParts    = `DELETE FROM menu_parts WHERE generation = ?`
	deleteOrphans  = `DELETE FROM menu_parts WHERE generation < ? AND generation NOT IN (SELECT generation FROM menu_documents)`
)

// A draft is a document whose parts are on disk and that nothing names yet.
type draft struct {
	name       string
	generation int64
}

// write lays the parts of a document down, each in a transaction of its own.
func (s *Service) write(ctx context.Context, name string, v any) (draft, error) {
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.BestSpeed)
	if err != nil {
		return draft{}, err
	}
	if err := json.MarshalWrite(z, v, json.Deterministic(true)); err != nil {
		return draft{}, fmt.Errorf("write %s: %w", name, err)
	}
	if err := z.Close(); err != nil {
		return draft{}, err
	}
	d := draft{name, s.c.Journal.NewID().Key()}
	for part := 0; b.Len() > 0; part++ {
		content := b.Next(partSize)
		err := s.c.Journal.Insist(ctx, func(tx *journal.Tx) error {
			_, err := tx.Exec(insertPart, d.generation, part, content)
			return err
		})
		if err != nil {
			return d, fmt.Errorf("write %s: %w", name, err)
		}
	}
	return d, nil
}

// publish makes the draft the document of its name; what it was before goes.
func (d draft) publish(tx *journal.Tx) error {
	if d.name == "" {
		return nil
	}
	var before int64
	err := tx.Query(selectDocument, []any{d.name}, func(scan func(...any) error) error { return scan(&before) })
	if err == nil {
		_, err = tx.Exec(upsertDocument, d.name, d.generation, tx.Now())
	}
	if err == nil && before != 0 {
		_, err = tx.Exec(deleteParts, before)
	}
	return err
}

// forget takes a document away.
func forget(tx *journal.Tx, name string) error {
	var before int64
	err := tx.Query(selectDocument, []any{name}, func(scan func(...any) error) error { return scan(&before) })
	if err != nil || before == 0 {
		return err
	}
	if _, err := tx.Exec(deleteParts, before); err != nil {
		return err
	}
	_, err = tx.Exec(deleteDocument, name)
	return err
}

// read reads a document into v, and reports whether there is one.
func (s *Service) read(ctx context.Context, name string, v any) (bool, error) {
	rows, err := s.c.Journal.Read().QueryContext(ctx, selectParts, name)
	if err != nil {
		return false, fmt.Errorf("read %s: %w", name, err)
	}
	defer rows.Close()
	var b bytes.Buffer
	for rows.Next() {
		var part []byte
		if err := rows.Scan(&part); err != nil {
			return false, fmt.Errorf("read %s: %w", name, err)
		}
		b.Write(part)
	}
	if err := rows.Err(); err != nil || b.Len() == 0 {
		return false, err
	}
	z, err := gzip.NewReader(&b)
	if err == nil {
		err = json.UnmarshalRead(io.LimitReader(z, maxDocument), v)
	}
	if err != nil {
		return false, fmt.Errorf("read %s: %w", name, err)
	}
	return true, nil
}
