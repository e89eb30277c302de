package cable

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"aboyeur/firmware-config/bundle"
)

// MaxBundle is the size of what a box takes, in bytes, and MaxText that of a text it gives.
const (
	MaxBundle = bundle.MaxBytes + bundle.MaxHead
	MaxText   = 256 << 10
)

// A Box is what stands behind the line.
type Box interface {
	// Welcome says what the box is.
	Welcome(context.Context) (Welcome, error)
	// Apply takes the bundle in a file, waits until it was judged, and says what became of it.
	Apply(ctx context.Context, file string, anySite bool) State
	// Text gives what the technician may read: "status" or "logs".
	Text(ctx context.Context, what string) (string, error)
}

// A Server answers on the box's side. It may serve one line after the other, and keeps what came over the last.
type Server struct {
	dir string
	box Box

	turn    sync.Mutex // held while a frame is worked on; guards what follows
	session uint32
	file    *os.File // coming in; nil: none
	begin   begin
	have    int64
	gap     bool // the missing piece was asked for

	text struct { // the last one asked for, so that its parts fit
		what string
		all  string
	}

	work  sync.WaitGroup
	mu    sync.Mutex // guards what follows
	tried finish     // the bundle that state is about
	state State
}

// NewServer makes a server that keeps incoming bundles in dir.
func NewServer(dir string, box Box) *Server { return &Server{dir: dir, box: box} }

// Close waits for the bundle in hand and gives back what is open.
func (s *Server) Close() error {
	s.work.Wait()
	s.turn.Lock()
	defer s.turn.Unlock()
	if s.file == nil {
		return nil
	}
	f := s.file
	s.file = nil
	return f.Close()
}

// Serve answers on a line until it ends or ctx does. The line is closed when ctx ends.
func (s *Server) Serve(ctx context.Context, line io.ReadWriteCloser) error {
	stop := context.AfterFunc(ctx, func() { line.Close() })
	defer stop()
	in := &scanner{r: line}
	var out []byte
	for {
		f, err := in.next()
		if ctx.Err() != nil {
			return nil
		}
		if errors.Is(err, os.ErrDeadlineExceeded) {
			continue
		}
		if err != nil {
			return err
		}
		answer, ok := s.answer(ctx, f)
		if !ok {
			continue
		}
		out = answer.appendTo(out[:0])
		if _, err := line.Write(out); err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return err
		}
	}
}

// answer works on one frame. What is no question gets no answer.
func (s *Server) answer(ctx context.Context, f frame) (frame, bool) {
	s.turn.Lock()
	defer s.turn.Unlock()
	var answer frame
	var err error
	switch f.kind {
	case askHello:
		var w Welcome
		if w, err = s.box.Welcome(ctx); err == nil {
			w.Version = version
			answer, err = encode(sayWelcome, f.id, w)
		}
	case askBegin:
		var b begin
		if err = decode(f, &b); err == nil {
			var done begun
			if done, err = s.start(b); err == nil {
				answer, err = encode(sayBegun, f.id, done)
			}
		}
	case putData:
		return s.take(f)
	case askFinish:
		var q finish
		if err = decode(f, &q); err == nil {
			var st State
			if st, err = s.finish(ctx, q); err == nil {
				st.Text = short(st.Text)
				answer, err = encode(sayState, f.id, st)
			}
		}
	case askRead:
		var q read
		if err = decode(f, &q); err == nil {
			answer, err = s.part(ctx, f.id, q)
		}
	default:
		return frame{}, false
	}
	if err != nil {
		answer, err = encode(sayNo, f.id, no{short(err.Error())})
	}
	return answer, err == nil
}

// start makes ready for a file, or for the rest of one.
func (s *Server) start(b begin) (begun, error) {
	sum, err := hex.DecodeString(b.SHA256)
	if err != nil || len(sum) != sha256.Size || strings.ToLower(b.SHA256) != b.SHA256 || b.Try == "" {
		return begun{}, errors.New("no SHA-256 was given, or no try")
	}
	if b.Size <= 0 || b.Size > MaxBundle {
		return begun{}, fmt.Errorf("%d bytes are no bundle; at most %d are taken", b.Size, MaxBundle)
	}
	s.mu.Lock()
	working, mine := s.tried.SHA256 != "" && !s.state.Done, s.tried.SHA256 == b.SHA256 && s.tried.Try == b.Try
	s.mu.Unlock()
	if working && !mine {
		return begun{}, errors.New("the box works on another bundle; wait a minute")
	}
	s.session++
	if mine { // only the line was lost: what became of it is to be asked
		return begun{s.session, b.Size}, nil
	}
	if s.file != nil {
		s.file.Close()
		s.file = nil
	}
	if err := os.MkdirAll(s.dir, 0o750); err != nil {
		return begun{}, err
	}
	path := s.path(b.SHA256)
	// One file is kept, the one that is coming in.
	old, err := filepath.Glob(filepath.Join(s.dir, "*.part"))
	if err != nil {
		return begun{}, err
	}
	for _, name := range old {
		if name != path {
			if err := os.Remove(name); err != nil {
				return begun{}, err
			}
		}
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o640)
	if err != nil {
		return begun{}, err
	}
	have, err := f.Seek(0, io.SeekEnd)
	if err == nil && have > b.Size {
		have = 0
		if err = f.Truncate(0); err == nil {
			_, err = f.Seek(0, io.SeekStart)
		}
	}
	if err != nil {
		return begun{}, errors.Join(err, f.Close())
	}
	s.file, s.begin, s.have, s.gap = f, b, have, false
	return begun{s.session, have}, nil
}

func (s *Server) path(sum string) string { return filepath.Join(s.dir, sum[:16]+".part") }

// take takes a piece of the file. Each that fits is confirmed; the first one missing is asked for once.
func (s *Server) take(f frame) (frame, bool) {
	if s.file == nil || len(f.payload) <= 4 || binary.BigEndian.Uint32(f.payload) != s.session {
		return frame{}, false
	}
	piece := f.payload[4:]
	switch {
	case int64(f.id) > s.have: // something before it was lost
		if s.gap {
			return frame{}, false
		}
		s.gap = true
		return frame{sayHave, uint32(s.have), []byte{1}}, true
	case int64(f.id) < s.have || s.have+int64(len(piece)) > s.begin.Size:
		return frame{sayHave, uint32(s.have), []byte{0}}, true
	}
	if n, err := s.file.Write(piece); err != nil {
		// Without room there is no going on; the laptop hears it in place of a confirmation.
		s.have += int64(n)
		answer, err := encode(sayNo, f.id, no{short("the box cannot store it: " + err.Error())})
		return answer, err == nil
	}
	s.have += int64(len(piece))
	s.gap = false
	return frame{sayHave, uint32(s.have), []byte{0}}, true
}

// finish applies a file that is whole, once, and says how far that is.
func (s *Server) finish(ctx context.Context, q finish) (State, error) {
	s.mu.Lock()
	st, mine := s.state, s.tried.SHA256 == q.SHA256 && s.tried.Try == q.Try
	s.mu.Unlock()
	if mine {
		return st, nil
	}
	if s.file == nil || s.begin.SHA256 != q.SHA256 || s.begin.Try != q.Try || s.have != s.begin.Size {
		return State{}, errors.New("that file is not here; begin it")
	}
	f := s.file
	s.file = nil
	sum := sha256.New()
	_, err := f.Seek(0, io.SeekStart)
	if err == nil {
		_, err = io.Copy(sum, f)
	}
	if err := errors.Join(err, f.Close()); err != nil {
		return State{}, err
	}
	path := s.path(q.SHA256)
	if hex.EncodeToString(sum.Sum(nil)) != q.SHA256 {
		if err := os.Remove(path); err != nil {
			return State{}, err
		}
		return State{}, errors.New("the file was damaged on the way; send it again")
	}
	s.mu.Lock()
	s.tried, s.state = q, State{}
	s.mu.Unlock()
	s.work.Go(func() {
		st := s.box.Apply(ctx, path, q.AnySite)
		st.Done = true
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			st.Text += " (" + err.Error() + ")"
		}
		s.mu.Lock()
		s.state = st
		s.mu.Unlock()
	})
	return State{}, nil
}

// part gives a part of a text: a line with its whole length, and as many bytes as fit.
func (s *Server) part(ctx context.Context, id uint32, q read) (frame, error) {
	if q.Offset == 0 || q.What != s.text.what {
		all, err := s.box.Text(ctx, q.What)
		if err != nil {
			return frame{}, err
		}
		if len(all) > MaxText { // the end is the newest
			all = all[len(all)-MaxText:]
		}
		s.text.what, s.text.all = q.What, all
	}
	if q.Offset < 0 || q.Offset > len(s.text.all) {
		return frame{}, errors.New("the text has changed; read it from its beginning")
	}
	head, err := json.Marshal(said{len(s.text.all)})
	if err != nil {
		return frame{}, err
	}
	b := append(head, '\n')
	b = append(b, s.text.all[q.Offset:min(len(s.text.all), q.Offset+maxPayload-len(b))]...)
	return frame{sayText, id, b}, nil
}

// cutLine splits a part into its line and its bytes.
func cutLine(payload []byte) (said, []byte, error) {
	line, rest, ok := bytes.Cut(payload, []byte("\n"))
	var v said
	if !ok || json.Unmarshal(line, &v) != nil || v.Total < 0 || v.Total > MaxText {
		return v, nil, errors.New("the box answered what is no text")
	}
	return v, rest, nil
}
