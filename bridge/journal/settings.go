package journal

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"
)

// Origins of a setting.
const (
	FromBundle  = "bundle"  // the configuration a technician brought
	FromConsole = "console" // a person at the box
)

// settingsKept is how many revisions of a setting stay readable.
const settingsKept = 50

// Setting is a value that people change in the console: course map, platform settings, routing, menu links.
type Setting struct {
	Key      string          `json:"key"`
	Value    json.RawMessage `json:"value"`    // nil: removed
	Revision int64           `json:"revision"` // 1 at first, one more with each change
	Author   string          `json:"author"`
	Origin   string          `json:"origin"` // FromBundle or FromConsole
	At       time.Time       `json:"at"`
}

// ErrNoSetting is returned for a key that has no value.
var ErrNoSetting = errors.New("no such setting")

// A ConflictError refuses a change that was made from an older revision.
type ConflictError struct {
	Key      string
	Expected int64
	Current  Setting // what somebody else made of it meanwhile; Revision 0: it does not exist
}

func (e *ConflictError) Error() string {
	return fmt.Sprintf("setting %s is at revision %d, not %d; read it again and repeat the change", e.Key, e.Current.Revision, e.Expected)
}

const (
	sqlSetting  = `SELECT value, revision, author, origin, at FROM settings WHERE key = ?`
	sqlSettings = `SELECT key, value, revision, author, origin, at FROM settings
		WHERE value IS NOT NULL AND substr(key, 1, length(?1)) = ?1 ORDER BY key`
	sqlHistory = `SELECT key, value, revision, author, origin, at FROM settings_history WHERE key = ? ORDER BY revision DESC LIMIT ?`
)

// Setting reads one setting, or returns ErrNoSetting.
func (j *Journal) Setting(ctx context.Context, key string) (Setting, error) {
	s := Setting{Key: key}
	var value sql.Null[[]byte]
	var at int64
	err := j.readers.QueryRowContext(ctx, sqlSetting, key).Scan(&value, &s.Revision, &s.Author, &s.Origin, &at)
	if err == sql.ErrNoRows || err == nil && !value.Valid {
		return Setting{}, fmt.Errorf("setting %s: %w", key, ErrNoSetting)
	}
	if err != nil {
		return Setting{}, fmt.Errorf("setting %s: %w", key, err)
	}
	s.Value, s.At = value.V, time.UnixMicro(at).UTC()
	return s, nil
}

// Settings reads all settings whose key begins with prefix, by key.
func (j *Journal) Settings(ctx context.Context, prefix string) ([]Setting, error) {
	return j.settings(ctx, sqlSettings, prefix)
}

// SettingHistory reads the latest revisions of a setting, the current one first, at most limit of them. The last 50 are
// kept.
func (j *Journal) SettingHistory(ctx context.Context, key string, limit int) ([]Setting, error) {
	return j.settings(ctx, sqlHistory, key, max(limit, 0))
}

func (j *Journal) settings(ctx context.Context, query string, args ...any) ([]Setting, error) {
	rows, err := j.readers.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("read settings: %w", err)
	}
	defer rows.Close()
	var list []Setting
	for rows.Next() {
		var s Setting
		var value sql.Null[[]byte]
		var at int64
		if err := rows.Scan(&s.Key, &value, &s.Revision, &s.Author, &s.Origin, &at); err != nil {
			return nil, fmt.Errorf("read settings: %w", err)
		}
		s.Value, s.At = value.V, time.UnixMicro(at).UTC()
		list = append(list, s)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read settings: %w", err)
	}
	return list, nil
}

// PutSetting changes a setting in the console's name; a nil value removes it. expected is the revision the change was made
// from, 0 for a new setting; when it is no longer the current one the error is a [*ConflictError]. The change is told in the
// feed, kind "setting".
func (tx *Tx) PutSetting(key string, value json.RawMessage, expected int64, author string) (Setting, error) {
	value, err := canonical(value)
	if err != nil {
		return Setting{}, fmt.Errorf("setting %s: %w", key, err)
	}
	old, err := tx.setting(key)
	if err != nil {
		return Setting{}, err
	}
	if old.Revision != expected {
		return Setting{}, &ConflictError{key, expected, old}
	}
	return tx.put(old, value, author, FromConsole)
}

// SetSetting is PutSetting for what the box itself found out or a person switched, whatever the revision is; a nil value
// removes it. The value that stands there already is no change.
func (tx *Tx) SetSetting(key string, value json.RawMessage, author string) error {
	value, err := canonical(value)
	if err != nil {
		return fmt.Errorf("setting %s: %w", key, err)
	}
	old, err := tx.setting(key)
	if err != nil || bytes.Equal(old.Value, value) {
		return err
	}
	_, err = tx.put(old, value, author, FromConsole)
	return err
}

// ApplyBundle lays the settings of a bundle in. A setting is replaced only where the bundle's value differs from that of
// the bundle before; what people changed otherwise stays. A key that this bundle no longer has is removed by the same rule.
// It returns what it changed, by key.
func (tx *Tx) ApplyBundle(author string, values map[string]json.RawMessage) ([]Setting, error) {
	before := map[string][]byte{}
	err := tx.Query(`SELECT key, value FROM settings_bundle`, nil, func(scan func(...any) error) error {
		var key string
		var value []byte
		if err := scan(&key, &value); err != nil {
			return err
		}
		before[key] = value
		return nil
	})
	if err != nil {
		return nil, err
	}
	after := map[string][]byte{}
	for key, value := range values {
		if value == nil {
			continue
		}
		if after[key], err = canonical(value); err != nil {
			return nil, fmt.Errorf("setting %s: %w", key, err)
		}
	}
	all := maps.Clone(before)
	maps.Copy(all, after)
	var changed []Setting
	for _, key := range slices.Sorted(maps.Keys(all)) {
		value := after[key]
		if bytes.Equal(before[key], value) {
			continue
		}
		if value == nil {
			_, err = tx.Exec(`DELETE FROM settings_bundle WHERE key = ?`, key)
		} else {
			_, err = tx.Exec(`INSERT INTO settings_bundle (key, value) VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value`, key, string(value))
		}
		if err != nil {
			return nil, err
		}
		old, err := tx.setting(key)
		if err != nil {
			return nil, err
		}
		if bytes.Equal(old.Value, value) {
			continue
		}
		s, err := tx.put(old, value, author, FromBundle)
		if err != nil {
			return nil, err
		}
		changed = append(changed, s)
	}
	return changed, nil
}

// setting reads the row of a key, removed or not; without one the revision is 0.
func (tx *Tx) setting(key string) (Setting, error) {
	s := Setting{Key: key}
	err := tx.QueryRow(sqlSetting, []any{key}, (*[]byte)(&s.Value), &s.Revision, &s.Author, &s.Origin, &s.At)
	if err == sql.ErrNoRows {
		err = nil
	}
	return s, err
}

// put writes the next revision of a setting.
func (tx *Tx) put(old Setting, value json.RawMessage, author, origin string) (Setting, error) {
	const (
		current = `INSERT INTO settings (key, value, revision, author, origin, at) VALUES (?, ?, ?, ?, ?, ?)
			ON CONFLICT DO UPDATE SET value = excluded.value, revision = excluded.revision, author = excluded.author, origin = excluded.origin, at = excluded.at`
		history = `INSERT INTO settings_history (key, value, revision, author, origin, at) VALUES (?, ?, ?, ?, ?, ?)`
		forget  = `DELETE FROM settings_history WHERE key = ? AND revision <= ?`
	)
	s := Setting{Key: old.Key, Value: value, Revision: old.Revision + 1, Author: author, Origin: origin, At: tx.at}
	var text any
	if value != nil {
		text = string(value)
	}
	for _, query := range []string{current, history} {
		if _, err := tx.Exec(query, s.Key, text, s.Revision, s.Author, s.Origin, s.At); err != nil {
			return Setting{}, err
		}
	}
	if _, err := tx.Exec(forget, s.Key, s.Revision-settingsKept); err != nil {
		return Setting{}, err
	}
	payload, err := json.Marshal(s)
	if err != nil {
		return Setting{}, err
	}
	tx.Change("setting", s.Key, payload)
	return s, nil
}

// canonical writes JSON in one form (members sorted, no blanks, numbers as they came), so that equal values have equal
// bytes.
func canonical(value json.RawMessage) (json.RawMessage, error) {
	if value == nil {
		return nil, nil
	}
	d := json.NewDecoder(bytes.NewReader(value))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, fmt.Errorf("not JSON: %w", err)
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, errors.New("more than one JSON value")
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}
