package api

import (
	"bytes"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"sync"

	"github.com/go-json-experiment/json"
)

// Header values that every answer shares; net/http only reads them.
var (
	jsonType    = []string{"application/json"}
	problemType = []string{"application/problem+json"}
	noStore     = []string{"no-store"}
)

// answerOptions: maps in a fixed order, so that equal values give equal bytes. HTML is not escaped; times are RFC 3339.
var answerOptions = json.Deterministic(true)

// Answer writes v as JSON with the status. It answers nothing and returns the error when v cannot be written as JSON,
// so that the handler can return it.
func Answer(w http.ResponseWriter, status int, v any) error {
	if v == nil {
		w.Header()["Cache-Control"] = noStore
		w.WriteHeader(status)
		return nil
	}
	b := getBuffer()
	defer putBuffer(b)
	if err := json.MarshalWrite(b, v, answerOptions); err != nil {
		return fmt.Errorf("write answer: %w", err)
	}
	b.WriteByte('\n')
	answerText(w, status, b.Bytes())
	return nil
}

// AnswerNow writes text, which is JSON with a line feed at its end, and sends it before the handler is done with what it has to
// do besides.
func AnswerNow(w http.ResponseWriter, status int, text []byte) {
	answerText(w, status, text)
	_ = http.NewResponseController(w).Flush()
}

func answerText(w http.ResponseWriter, status int, text []byte) {
	h := w.Header()
	h["Content-Type"] = jsonType
	h["Cache-Control"] = noStore
	h["Content-Length"] = []string{strconv.Itoa(len(text))}
	w.WriteHeader(status)
	// A caller that went away has no use for an error; its connection tells the server.
	_, _ = w.Write(text)
}

// maxPooled is the largest buffer kept for the next request, so that one large answer does not stay in memory.
const maxPooled = 64 << 10

var buffers = sync.Pool{New: func() any { return bytes.NewBuffer(make([]byte, 0, 4<<10)) }}

func getBuffer() *bytes.Buffer { return buffers.Get().(*bytes.Buffer) }

func putBuffer(b *bytes.Buffer) {
	if b.Cap() > maxPooled {
		return
	}
	b.Reset()
	buffers.Put(b)
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
