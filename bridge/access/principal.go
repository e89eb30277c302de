package access

import "context"

// A Role says what somebody may do. Which role may call what stands at each route and in the OpenAPI document.
type Role string

// The roles of the contract, section 3. Admin may do everything.
const (
	Admin      Role = "admin"
	Manager    Role = "manager"
	Staff      Role = "staff"
	Till       Role = "till"
	Aggregator Role = "aggregator"
	Screen     Role = "screen"
	Metrics    Role = "metrics"
)

// Roles lists every role, the mightiest first.
func Roles() []Role { return []Role{Admin, Manager, Staff, Till, Aggregator, Screen, Metrics} }

// Valid tells whether r is one of Roles.
func (r Role) Valid() bool {
	switch r {
	case Admin, Manager, Staff, Till, Aggregator, Screen, Metrics:
		return true
	}
	return false
}

// Ways by which a Principal proved who it is.
const (
	ViaToken   = "token"   // Authorization: Bearer
	ViaSession = "session" // cookie of somebody who signed in with a token
	ViaPairing = "pairing" // cookie of a paired screen
	ViaPIN     = "pin"     // a person's PIN, on a browser that one of the others let in
	ViaDemo    = "demo"    // a request of this very machine to `aboyeur demo`
)

// A Principal is who makes a request. The zero Principal is nobody.
type Principal struct {
	Name   string // the token's name, the screen's name, the person's, or "demo"
	Role   Role
	Screen string // the screen this browser was paired for; "" is not bound to one
	Via    string // ViaToken, ViaSession, ViaPairing, ViaPIN, ViaDemo

	subject string
	alive   *lifetime
}

// Someone tells whether p is anybody at all.
func (p Principal) Someone() bool { return p.Role != "" }

// Subject is a text that belongs to this principal alone and outlives the process: the owner of its idempotency keys.
// Sessions share it with the token they were opened with.
func (p Principal) Subject() string {
	if p.subject != "" {
		return p.subject
	}
	return p.Via + ":" + p.Name
}

// Revoked is closed when the token was removed, the session ended or the pairing revoked. A stream that outlives its
// request's authentication watches it. It is nil, and so blocks for ever, for a principal that cannot be revoked.
func (p Principal) Revoked() <-chan struct{} {
	if p.alive == nil {
		return nil
	}
	return p.alive.ctx.Done()
}

// OnRevoked arranges for fn to be called in its own goroutine once Revoked is closed; stop undoes that.
func (p Principal) OnRevoked(fn func()) (stop func() bool) {
	if p.alive == nil {
		return func() bool { return true }
	}
	return context.AfterFunc(p.alive.ctx, fn)
}

// Touch counts as use of the session behind p, so that a page that only listens is not signed out.
func (p Principal) Touch() {
	if p.alive != nil && p.alive.touch != nil {
		p.alive.touch()
	}
}

// LastsAs gives p, ending when base ends instead of by itself. A kitchen screen's stream goes on when the person who gave a
// PIN at it leaves: the screen may see it without that person.
func (p Principal) LastsAs(base Principal) Principal {
	p.alive = base.alive
	return p
}

// A lifetime ends when what it stands for is revoked.
type lifetime struct {
	ctx   context.Context
	end   context.CancelFunc
	touch func() // nil: use does not matter
}

func newLifetime() *lifetime {
	ctx, end := context.WithCancel(context.Background())
	return &lifetime{ctx: ctx, end: end}
}

type principalKey struct{}

// With gives a context that carries p. The API server does it for each request; tests may.
func With(ctx context.Context, p Principal) context.Context {
	return context.WithValue(ctx, principalKey{}, p)
}

// From gives the Principal of a request's context, or the zero Principal.
func From(ctx context.Context) Principal {
	p, _ := ctx.Value(principalKey{}).(Principal)
	return p
}
