package printer

// Tokens are four bytes 20..7E (spec/escpos.md 10.2): numbers to base 95, so that they ascend with the sequence. A
// sequence number has two, P and C; the upper quarter of the space is for bare fences.
const (
	tokenSpace = 95 * 95 * 95 * 95
	jobTokens  = 61_000_000 // even: P and C of one sequence number stay neighbours when the numbers wrap
)

// tokens are the two tokens of a sequence number. They repeat after 30 million tickets.
func tokens(sequence uint32) (p, c [4]byte) {
	n := 2 * uint64(sequence) % jobTokens
	return token(n), token(n + 1)
}

// fenceToken is the n-th token for bare fences.
func fenceToken(n uint64) [4]byte { return token(jobTokens + n%(tokenSpace-jobTokens)) }

func isFenceToken(t [4]byte) bool {
	n := uint64(0)
	for _, c := range t {
		if c < 0x20 || c > 0x7E {
			return false
		}
		n = n*95 + uint64(c-0x20)
	}
	return n >= jobTokens
}

func token(n uint64) (t [4]byte) {
	for i := len(t) - 1; i >= 0; i-- {
		t[i] = 0x20 + byte(n%95)
		n /= 95
	}
	return t
}

// remembered bounds the memory of tokens beyond the job in hand.
const remembered = 64

// A memory holds the tokens that may still come: those of attempts whose outcome nobody knows, and those that came
// before anybody knew whose they were.
type memory struct {
	open   [remembered]openToken // ring
	next   int
	strays [remembered][4]byte // ring
	stray  int
	fences uint64 // given out
}

// openToken is a token of an attempt that was given up without evidence.
type openToken struct {
	token   [4]byte
	job     JobID
	attempt int
	cut     bool // token C
	live    bool
}

// expect remembers a's tokens.
func (m *memory) expect(id JobID, a Attempt) {
	for i, t := range [2][4]byte{a.TokenP, a.TokenC} {
		m.open[m.next] = openToken{t, id, a.Number, i == 1, true}
		m.next = (m.next + 1) % remembered
	}
}

// find takes the entry of t out.
func (m *memory) find(t [4]byte) (openToken, bool) {
	for i := range m.open {
		if o := &m.open[i]; o.live && o.token == t {
			o.live = false
			return *o, true
		}
	}
	return openToken{}, false
}

// forget drops what is expected of a job.
func (m *memory) forget(id JobID) {
	for i := range m.open {
		if m.open[i].job == id {
			m.open[i].live = false
		}
	}
}

// keep remembers a token that nobody knows: a job that an earlier process began may own it.
func (m *memory) keep(t [4]byte) {
	m.strays[m.stray] = t
	m.stray = (m.stray + 1) % remembered
}

// kept reports a stray token, once.
func (m *memory) kept(t [4]byte) bool {
	for i := range m.strays {
		if m.strays[i] == t && t != ([4]byte{}) {
			m.strays[i] = [4]byte{}
			return true
		}
	}
	return false
}

func (m *memory) fence() [4]byte {
	m.fences++
	return fenceToken(m.fences)
}
