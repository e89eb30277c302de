package rest

import (
	"bytes"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
)

// FuzzDecode: what is taken is taken whole and means the same when written again; what is refused changes nothing.
func FuzzDecode(f *testing.F) {
	for _, s := range []string{"", " \n", "{}", `{"name":"é","n":-3}`, `{"n":1,"n":2}`, `{"name":"` + "\xff" + `"}`, `{"name":`, `[]`, "<html>", `{"n":1e99}`, `{"more":[[[{}]]]}`, "\xef\xbb\xbf{}"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		before := thing{"before", 1}
		out := before
		if err := decode(body, &out); err != nil {
			if out != before {
				t.Errorf("decode(%q) = %v and changed the value to %+v", body, err, out)
			}
			return
		}
		if len(bytes.TrimSpace(body)) == 0 {
			return
		}
		again, err := json.Marshal(out)
		if err != nil {
			t.Fatalf("decode(%q) = %+v, which cannot be written: %v", body, out, err)
		}
		var second thing
		if err := decode(again, &second); err != nil || !reflect.DeepEqual(out, second) {
			t.Errorf("decode(%q) = %+v, then %+v, %v", body, out, second, err)
		}
	})
}

// FuzzToken: a life is within its bounds whatever the endpoint says, and a refusal shows none of its free text.
func FuzzToken(f *testing.F) {
	for _, s := range []string{`{"access_token":"a","expires_in":3600}`, `{"expires_in":"60"}`, `{"expires_in":1e309}`, `{"expires_in":-1}`, `{"expires_in":NaN}`,
		`{"error":"invalid_client","error_description":"SECRET"}`, `{"error":"SECRET"}`, `{"error":["SECRET"]}`, "SECRET"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		var a tokenAnswer
		if decode(body, &a) == nil {
			if life := a.life(); life < 0 || life > maxLife {
				t.Errorf("life of %q is %v", body, life)
			}
		}
		if text := refusal(&Error{Body: body}).Error(); strings.Contains(text, "SECRET") {
			t.Errorf("refusal(%q) = %q", body, text)
		}
	})
}

// FuzzRetryAfter: never negative, never absurd.
func FuzzRetryAfter(f *testing.F) {
	for _, s := range []string{"", "0", "120", "-3", "99999999999", "Sat, 21 Nov 2026 19:00:09 GMT", "Mon, 01 Jan 0001 00:00:00 GMT", "soon"} {
		f.Add(s)
	}
	now := time.Date(2026, 11, 21, 19, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, v string) {
		if d := retryAfter(http.Header{"Retry-After": {v}}, now); d < 0 || d > maxRetryAfter {
			t.Errorf("retryAfter(%q) = %v", v, d)
		}
	})
}

// FuzzRedact: a secret is seen nowhere, however it came into the address.
func FuzzRedact(f *testing.F) {
	f.Add("s3cr/et+", "q", "v")
	f.Add("1234", "apiKey", "1234")
	f.Add("a b&c=d", "%", "a b&c=d")
	f.Add("https://h/?é", "token", "\x00")
	f.Fuzz(func(t *testing.T, raw, name, value string) {
		secret := "Zz" + raw + "Z9" // so that it is nowhere by chance
		if strings.ContainsAny(raw, "*") || strings.Contains(name+value, "Z") {
			return
		}
		r := newRedactor([]string{secret}, []string{"surname"})
		r.remember("Bearer " + secret + "token")
		u, err := url.Parse("https://h" + Path("path", secret))
		if err != nil {
			t.Fatal(err)
		}
		u.RawQuery = url.Values{name: {value, secret}}.Encode() + "&q=" + url.QueryEscape(secret) + "&surname=Zoe&t=" + url.QueryEscape(secret+"token")
		got := r.target(u)
		for _, bad := range []string{secret, url.QueryEscape(secret), url.PathEscape(secret), "Zoe", Masked + "token"} {
			if strings.Contains(got, bad) {
				t.Errorf("target(%s) = %s shows %q", u, got, bad)
			}
		}
		if s := r.text("before " + secret + " after"); s != "before *** after" {
			t.Errorf("text of %q = %q", secret, s)
		}
	})
}
