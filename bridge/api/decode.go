package api

import (
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"

	"github.com/go-json-experiment/json"
)

// MaxBody is the limit of a request's body (contract section 4).
const MaxBody = 1 << 20

// maxDrain is how much of a body that is too large is read and thrown away, so that its sender finishes writing and
// sees the answer instead of a broken connection.
const maxDrain = 8 << 20

// Decode reads the request's JSON body into dst, strictly: members dst does not know, duplicate names, broken UTF-8 and
// anything after the value are faults. The error is a *Problem: 413 over MaxBody, 415 for another content type, 400
// for text that is not JSON, 422 with every fault and its pointer for JSON that is not what dst wants.
func Decode(w http.ResponseWriter, r *http.Request, dst any) error {
	return DecodeFirst(w, r, dst, func([]byte) bool { return false })
}

// DecodeFirst is Decode for a body that has a quick way into dst: read, which leaves dst as it was when it says false. It gets
// a slice that it must not keep.
func DecodeFirst(w http.ResponseWriter, r *http.Request, dst any, read func(data []byte) bool) error {
	if p := checkContentType(r.Header.Get("Content-Type")); p != nil {
		return p
	}
	b := getBuffer()
	defer putBuffer(b)
	if r.ContentLength > MaxBody {
		return tooLarge(w, r)
	}
	if n := r.ContentLength; n > 0 {
		b.Grow(int(min(n, maxPooled)) + 512) // room beyond the end, to see it; what is only announced takes no more
	}
	if _, err := b.ReadFrom(io.LimitReader(r.Body, MaxBody+1)); err != nil {
		return unreadable(err)
	}
	if b.Len() > MaxBody {
		return tooLarge(w, r)
	}
	if read(b.Bytes()) {
		return nil
	}
	return DecodeBytes(b.Bytes(), dst)
}

// DecodeBytes is Decode for text that is already in memory. dst shares nothing with data afterwards.
func DecodeBytes(data []byte, dst any) error {
	if err := json.Unmarshal(data, dst, decodeOptions); err != nil {
		return explain(data, dst, err)
	}
	return nil
}

var decodeOptions = json.RejectUnknownMembers(true)

func checkContentType(v string) *Problem {
	if v == "" || v == "application/json" {
		return nil
	}
	kind, params, err := mime.ParseMediaType(v)
	if err == nil && (kind == "application/json" || strings.HasPrefix(kind, "application/") && strings.HasSuffix(kind, "+json")) {
		if c := params["charset"]; c == "" || strings.EqualFold(c, "utf-8") {
			return nil
		}
	}
	return &Problem{Status: http.StatusUnsupportedMediaType, Code: "not_json",
		Detail: fmt.Sprintf("the body is %q; send application/json in UTF-8", v)}
}

func tooLarge(w http.ResponseWriter, r *http.Request) error {
	if r.Header.Get("Expect") == "" { // a sender that asks first has not begun to send
		_, _ = io.CopyN(io.Discard, r.Body, maxDrain)
	}
	w.Header().Set("Connection", "close")
	return &Problem{Status: http.StatusRequestEntityTooLarge, Code: "too_large",
		Detail: fmt.Sprintf("the body is larger than %d bytes; send less at a time", MaxBody)}
}

func unreadable(err error) error {
	var big *http.MaxBytesError
	if errors.As(err, &big) {
		return &Problem{Status: http.StatusRequestEntityTooLarge, Code: "too_large",
			Detail: fmt.Sprintf("the body is larger than %d bytes; send less at a time", big.Limit)}
	}
	if isTimeout(err) {
		return &Problem{Status: http.StatusRequestTimeout, Code: "body_timeout", Detail: "the body did not arrive in time; send the request again"}
	}
	return &Problem{Status: http.StatusBadRequest, Code: "body_broken", Detail: "the body ended early; send the request again"}
}

func isTimeout(err error) bool {
	var t interface{ Timeout() bool }
	return errors.As(err, &t) && t.Timeout()
}
