package rest

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Defaults for a Config left at zero.
const (
	DefaultTimeout    = 30 * time.Second // of one attempt
	DefaultConnect    = 10 * time.Second
	DefaultIdle       = 4 * time.Second // below the 5 s after which the hastiest servers close a silent connection
	DefaultMaxAnswer  = 4 << 20         // bytes, unpacked
	DefaultMaxRequest = 4 << 20         // bytes
	DefaultConns      = 8
	DefaultKeyHeader  = "Idempotency-Key"
	DefaultAgent      = "aboyeur"
)

const (
	maxHeader    = 64 << 10 // bytes of an answer's header
	maxRedirects = 3
)

// Config is one server and how to speak with it. Its zero values are the good defaults; Base is required.
type Config struct {
	Base   string        // https://HOST[:PORT][/PREFIX]
	Tokens TokenSource   // gives Authorization; nil: none is sent
	Header http.Header   // sent with every call
	TLS    *tls.Config   // nil: the system's roots; at least TLS 1.2 whatever it says
	Plain  bool          // http:// may go beyond loopback
	Agent  string        // User-Agent; "" means DefaultAgent
	Conns  int           // shared connections at once, and as many single ones; more calls wait. 0 means DefaultConns
	Idle   time.Duration // a connection is given up after this long without a call; 0 means DefaultIdle

	Timeout    time.Duration // of one attempt; 0 means DefaultTimeout
	Connect    time.Duration // of dialling and handshake; 0 means DefaultConnect
	MaxAnswer  int64         // bytes; 0 means DefaultMaxAnswer
	MaxRequest int           // bytes; 0 means DefaultMaxRequest
	Retry      Retry

	KeyHeader string // carries Call.Key; "" means DefaultKeyHeader
	Untouched []int  // statuses by which this peer says that nothing was done, beyond 4xx: 503 for some

	Secrets []string       // hidden wherever they would appear in an error or trace
	Hidden  []string       // query parameters whose values are hidden, beyond the usual names of keys
	Trace   func(Exchange) // called after each attempt on the caller's goroutine; must be quick. nil: none

	Now    func() time.Time                           // nil means time.Now
	Wait   func(context.Context, time.Duration) error // pause between attempts; nil: a real one. Its error ends the call
	Random func() float64                             // jitter in [0,1); nil means math/rand
}

// A Client calls one server. Its methods may be called from any goroutine.
type Client struct {
	c        Config
	base     *url.URL
	shared   *http.Transport // for calls that may be repeated
	single   *http.Transport // a connection a call, for those that may not
	redactor *redactor
}

// New checks c and makes a client. It starts nothing.
func New(c Config) (*Client, error) {
	base, err := url.Parse(c.Base)
	if err != nil {
		return nil, errors.New("base address cannot be read; write https://HOST")
	}
	switch {
	case base.Hostname() == "" || base.Scheme != "https" && base.Scheme != "http":
		return nil, fmt.Errorf("base address %q is not a web address; write https://HOST", base.Redacted())
	case base.User != nil:
		return nil, fmt.Errorf("base address of %s has a name or password in it; put them into the credentials", base.Host)
	case base.RawQuery != "" || base.Fragment != "":
		return nil, fmt.Errorf("base address of %s has a query; write only https://HOST/PREFIX", base.Host)
	case base.Scheme == "http" && !c.Plain && !loopback(base.Hostname()):
		return nil, fmt.Errorf("base address http://%s has no TLS, which only this machine itself may do without; write https://", base.Host)
	}
	c.Base = strings.TrimRight(c.Base, "/")
	for _, d := range []struct {
		v     *time.Duration
		value time.Duration
	}{{&c.Timeout, DefaultTimeout}, {&c.Connect, DefaultConnect}, {&c.Idle, DefaultIdle}} {
		if *d.v <= 0 {
			*d.v = d.value
		}
	}
	if c.MaxAnswer <= 0 {
		c.MaxAnswer = DefaultMaxAnswer
	}
	if c.MaxRequest <= 0 {
		c.MaxRequest = DefaultMaxRequest
	}
	if c.Conns <= 0 {
		c.Conns = DefaultConns
	}
	if c.KeyHeader == "" {
		c.KeyHeader = DefaultKeyHeader
	}
	if c.Agent == "" {
		c.Agent = DefaultAgent
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Wait == nil {
		c.Wait = Wait
	}
	if c.Random == nil {
		c.Random = rand.Float64
	}
	c.Retry = c.Retry.withDefaults()
	secure := &tls.Config{}
	if c.TLS != nil {
		secure = c.TLS.Clone()
	}
	secure.MinVersion = max(secure.MinVersion, tls.VersionTLS12)
	secure.NextProtos = []string{"http/1.1"}
	d := &dialer{connect: c.Connect, tls: secure}
	transport := func(single bool) *http.Transport {
		return &http.Transport{
			DialContext:            d.plain,
			DialTLSContext:         d.secure,
			DisableKeepAlives:      single,
			MaxIdleConnsPerHost:    c.Conns,
			MaxConnsPerHost:        c.Conns,
			IdleConnTimeout:        c.Idle,
			MaxResponseHeaderBytes: maxHeader,
			Protocols:              protocols(),
		}
	}
	return &Client{c: c, base: base, shared: transport(false), single: transport(true), redactor: newRedactor(c.Secrets, c.Hidden)}, nil
}

func protocols() *http.Protocols {
	p := new(http.Protocols)
	p.SetHTTP1(true)
	return p
}

func loopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

// Wait waits for d, or gives the error of ctx when that ends first.
func Wait(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Close ends idle connections. Calls under way go on.
func (c *Client) Close() {
	c.shared.CloseIdleConnections()
	c.single.CloseIdleConnections()
}

// Redact masks in s what this client must not show.
func (c *Client) Redact(s string) string { return c.redactor.text(s) }

// Do makes the call and repeats it as the package's description says. A failure is an *Error.
func (c *Client) Do(ctx context.Context, call Call) (Answer, error) {
	began := c.c.Now()
	if call.Method == "" {
		call.Method = http.MethodGet
	}
	r := request{call: call}
	if err := c.prepare(&r); err != nil {
		return Answer{}, &Error{Op: call.Op, Method: call.Method, Path: c.redactor.text(call.Path), Fate: NotSent, Err: err}
	}
	var renewed bool
	for n := 1; ; n++ {
		answer, e := c.attempt(ctx, &r, n)
		if e == nil {
			answer.Attempts, answer.Took = n, c.c.Now().Sub(began)
			return answer, nil
		}
		e.Attempts = n
		if e.Status == http.StatusUnauthorized && c.c.Tokens != nil && !renewed && c.c.Tokens.Refused(r.authorization) && ctx.Err() == nil {
			renewed = true
			continue
		}
		if call.Once || n >= c.c.Retry.Attempts || ctx.Err() != nil || !c.again(&r.call, e) {
			return Answer{}, e
		}
		pause := c.c.Retry.wait(n, c.c.Random())
		if e.RetryAfter > 0 {
			if pause = e.RetryAfter; pause > c.c.Retry.Longest {
				return Answer{}, e
			}
		}
		if end, ok := ctx.Deadline(); ok && time.Until(end) <= pause {
			return Answer{}, e
		}
		if c.c.Wait(ctx, pause) != nil {
			return Answer{}, e
		}
	}
}

// again reports whether a failure is worth another attempt and none of its harm.
func (c *Client) again(call *Call, e *Error) bool {
	switch e.Fate {
	case NotSent:
		var certificate *tls.CertificateVerificationError
		var unknown x509.UnknownAuthorityError
		var token *tokenError
		return !errors.As(e.Err, &certificate) && !errors.As(e.Err, &unknown) && !errors.As(e.Err, &token)
	case Refused:
		return e.Status == http.StatusTooManyRequests || e.Status == http.StatusTooEarly || slices.Contains(c.c.Untouched, e.Status)
	case Accepted:
		return call.repeatable() && (errors.Is(e.Err, ErrCut) || errors.Is(e.Err, ErrSilent))
	}
	if !call.repeatable() {
		return false
	}
	switch e.Status {
	case 0, http.StatusRequestTimeout, http.StatusInternalServerError, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return false
}

// A request is a call made ready to be sent any number of times.
type request struct {
	call          Call
	url           *url.URL
	body          []byte
	contentType   string
	authorization string // of the last attempt
}

func (c *Client) prepare(r *request) error {
	call := &r.call
	if !strings.HasPrefix(call.Path, "/") {
		return fmt.Errorf("path %q does not begin with /", call.Path)
	}
	u, err := url.Parse(c.c.Base + call.Path)
	if err != nil || u.Host != c.base.Host || u.Scheme != c.base.Scheme || u.User != nil || u.Fragment != "" {
		return errors.New("path cannot be read")
	}
	if len(call.Query) > 0 {
		if u.RawQuery != "" {
			u.RawQuery += "&"
		}
		u.RawQuery += call.Query.Encode()
	}
	r.url = u
	switch {
	case call.Form != nil:
		r.body, r.contentType = []byte(call.Form.Encode()), "application/x-www-form-urlencoded"
	case call.In != nil:
		b, err := json.Marshal(call.In, json.Deterministic(true))
		if err != nil {
			return fmt.Errorf("encode request: %w", err)
		}
		r.body, r.contentType = b, "application/json"
	}
	if len(r.body) > c.c.MaxRequest {
		return fmt.Errorf("request of %d bytes is larger than the limit of %d", len(r.body), c.c.MaxRequest)
	}
	return nil
}

// attempt sends r once and reads the answer.
func (c *Client) attempt(ctx context.Context, r *request, n int) (Answer, *Error) {
	began := c.c.Now()
	x := Exchange{At: began, Op: r.call.Op, Method: r.call.Method, Attempt: n, Sent: len(r.body)}
	answer, e := c.once(ctx, r, &x)
	x.Path = c.redactor.target(r.url) // now that this attempt's token is known
	if e != nil {
		e.Op, e.Method, e.Path = x.Op, x.Method, x.Path
		if e.Err != nil {
			e.Err = c.redacted(e.Err)
		}
	}
	if c.c.Trace != nil {
		x.Took = c.c.Now().Sub(began)
		if e != nil {
			x.Fate = e.Fate
			x.Err = http.StatusText(e.Status)
			if e.Err != nil {
				x.Err = e.Err.Error()
			}
			if x.Err == "" {
				x.Err = e.Fate.String()
			}
		}
		c.c.Trace(x)
	}
	return answer, e
}

func (c *Client) once(ctx context.Context, r *request, x *Exchange) (Answer, *Error) {
	timeout := r.call.Timeout
	if timeout <= 0 {
		timeout = c.c.Timeout
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()

	r.authorization = ""
	if c.c.Tokens != nil {
		value, err := c.c.Tokens.Authorization(ctx)
		if err == nil && !printable(value) {
			err = errors.New("a character that a header cannot hold")
		}
		if err != nil {
			e := &Error{Fate: NotSent, Err: &tokenError{err}}
			var inner *Error
			if errors.As(err, &inner) {
				e.RetryAfter = inner.RetryAfter
			}
			return Answer{}, e
		}
		r.authorization = value
		c.redactor.remember(value)
	}

	track := &track{}
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: track.got})
	transport := c.single
	if r.call.repeatable() {
		transport = c.shared
	}
	target := r.url
	for hop := 0; ; hop++ {
		response, err := transport.RoundTrip(c.build(ctx, r, target))
		if err != nil {
			e := &Error{Fate: Uncertain, Err: cause(err)}
			if track.untouched() {
				e.Fate = NotSent
			}
			return Answer{}, e
		}
		next := c.redirect(r, target, response, hop)
		if next == nil {
			return c.read(r, response, x)
		}
		io.CopyN(io.Discard, response.Body, MaxErrorBody)
		response.Body.Close()
		target = next
	}
}

func (c *Client) build(ctx context.Context, r *request, target *url.URL) *http.Request {
	q := &http.Request{
		Method: r.call.Method, URL: target, Host: target.Host,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: make(http.Header),
	}
	if r.contentType != "" {
		// Without GetBody net/http cannot send the body again by itself, which it would do unasked and uncounted.
		q.Body, q.ContentLength = io.NopCloser(bytes.NewReader(r.body)), int64(len(r.body))
		q.Header.Set("Content-Type", r.contentType)
	}
	q.Header.Set("Accept", "application/json")
	q.Header.Set("User-Agent", c.c.Agent)
	for _, h := range []http.Header{c.c.Header, r.call.Header} {
		for name, values := range h {
			q.Header[http.CanonicalHeaderKey(name)] = slices.Clone(values)
		}
	}
	if r.authorization != "" {
		q.Header.Set("Authorization", r.authorization)
	}
	if r.call.Key != "" {
		// In lower case, because net/http repeats by itself what carries Idempotency-Key in its usual spelling.
		delete(q.Header, http.CanonicalHeaderKey(c.c.KeyHeader))
		q.Header[strings.ToLower(c.c.KeyHeader)] = []string{r.call.Key}
	}
	return q.WithContext(ctx)
}

// redirect is where to go instead; nil: the answer stands as it is.
func (c *Client) redirect(r *request, from *url.URL, response *http.Response, hop int) *url.URL {
	switch response.StatusCode {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
	default:
		return nil
	}
	if r.call.Method != http.MethodGet && r.call.Method != http.MethodHead || r.contentType != "" || hop == maxRedirects {
		return nil
	}
	to, err := from.Parse(response.Header.Get("Location"))
	if err != nil || response.Header.Get("Location") == "" || to.Scheme != from.Scheme || to.Host != from.Host || to.User != nil {
		return nil
	}
	return to
}

// read takes the answer in and judges it.
func (c *Client) read(r *request, response *http.Response, x *Exchange) (Answer, *Error) {
	defer response.Body.Close()
	x.Status = response.StatusCode
	fate := judge(response.StatusCode, c.c.Untouched)
	e := &Error{Fate: fate, Status: response.StatusCode, Header: response.Header, RetryAfter: retryAfter(response.Header, c.c.Now())}
	e.Header.Del("Set-Cookie")
	limit := c.c.MaxAnswer
	if fate != Accepted {
		limit = MaxErrorBody
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, limit+1))
	x.Received = len(body)
	over := int64(len(body)) > limit
	if over {
		body = body[:limit]
	}
	if fate != Accepted {
		// The status is verdict enough; what is missing of the words does not change it.
		e.Body = body
		if response.StatusCode < 400 {
			e.Err = ErrRedirect
		}
		return Answer{}, e
	}
	switch {
	case over:
		e.Err = fmt.Errorf("%w of %d bytes", ErrTooLarge, limit)
	case err != nil:
		e.Err = cause(err)
		if !errors.Is(e.Err, ErrSilent) {
			e.Err = fmt.Errorf("%w after %d bytes: %w", ErrCut, len(body), err)
		}
	default:
		e.Err = decode(body, r.call.Out)
	}
	if e.Err != nil {
		return Answer{}, e
	}
	return Answer{Status: response.StatusCode, Header: e.Header}, nil
}

// lenient takes what servers send beyond the letter of the standard.
var lenient = json.JoinOptions(jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))

// decode reads body into out, wholly or not at all. Nothing at all is fine for what has no content.
func decode(body []byte, out any) error {
	if out == nil {
		return nil
	}
	if raw, ok := out.(*[]byte); ok {
		*raw = body
		return nil
	}
	if len(bytes.TrimSpace(body)) == 0 {
		return nil
	}
	fresh := reflect.New(reflect.TypeOf(out).Elem())
	if err := json.Unmarshal(body, fresh.Interface(), lenient); err != nil {
		if errors.Is(err, io.ErrUnexpectedEOF) {
			return fmt.Errorf("%w after %d bytes", ErrCut, len(body))
		}
		return fmt.Errorf("%w: %w", ErrNotJSON, err)
	}
	reflect.ValueOf(out).Elem().Set(fresh.Elem())
	return nil
}

// redacted is err with secrets masked in its text; what it wraps stays reachable.
func (c *Client) redacted(err error) error {
	text := err.Error()
	if clean := c.redactor.text(text); clean != text {
		return &maskedError{clean, err}
	}
	return err
}

type maskedError struct {
	text string
	err  error
}

func (m *maskedError) Error() string        { return m.text }
func (m *maskedError) Is(target error) bool { return errors.Is(m.err, target) }
func (m *maskedError) As(target any) bool   { return errors.As(m.err, target) }

// track follows a call to its connections.
type track struct {
	mu    sync.Mutex // guards conns; net/http calls got from its own goroutines
	conns []tracked
	lost  bool // a connection that does not count
}

type tracked struct {
	c     *conn
	start int64
}

func (t *track) got(info httptrace.GotConnInfo) {
	t.mu.Lock()
	defer t.mu.Unlock()
	c, ok := info.Conn.(*conn)
	if !ok {
		t.lost = true
		return
	}
	t.conns = append(t.conns, tracked{c, c.count()})
}

// untouched reports that none of the call's bytes went out, and lets none out from now on.
func (t *track) untouched() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	clean := !t.lost
	for _, k := range t.conns {
		if !k.c.untouched(k.start) {
			clean = false
		}
	}
	return clean
}

// printable reports whether a header can hold s.
func printable(s string) bool {
	for i := range len(s) {
		if s[i] < 0x20 || s[i] >= 0x7f {
			return false
		}
	}
	return s != ""
}
