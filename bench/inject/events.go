package main

import "bytes"

// An events reads a stream of server-sent events from pieces as they arrive, wherever they were cut.
type events struct {
	line  []byte // an unfinished line
	cr    bool   // the last byte was CR: a LF right after it belongs to it
	event event
	begun bool
}

// An event is one message of the stream. Data is only valid until the callback returns.
type event struct {
	ID, Name string
	Data     []byte
}

// write takes the next bytes of the stream and calls each for every event that they complete.
func (e *events) write(p []byte, each func(event)) {
	for len(p) > 0 {
		if e.cr {
			e.cr = false
			if p[0] == '\n' {
				p = p[1:]
				continue
			}
		}
		i := bytes.IndexAny(p, "\r\n")
		if i < 0 {
			e.line = append(e.line, p...)
			return
		}
		line := p[:i]
		if len(e.line) > 0 {
			e.line = append(e.line, line...)
			line = e.line
		}
		e.take(line, each)
		e.line = e.line[:0]
		e.cr = p[i] == '\r'
		p = p[i+1:]
	}
}

func (e *events) take(line []byte, each func(event)) {
	if len(line) == 0 {
		if e.begun && len(e.event.Data) > 0 {
			e.event.Data = e.event.Data[:len(e.event.Data)-1] // the last line's LF
			each(e.event)
		}
		e.event.Name, e.event.Data, e.begun = "", e.event.Data[:0], false // the id stays, as the standard has it
		return
	}
	field, value, _ := bytes.Cut(line, []byte(":"))
	value = bytes.TrimPrefix(value, []byte(" "))
	switch string(field) {
	case "event":
		e.event.Name = string(value)
	case "id":
		if bytes.IndexByte(value, 0) < 0 {
			e.event.ID = string(value)
		}
	case "data":
		e.event.Data = append(append(e.event.Data, value...), '\n')
		e.begun = true
	}
}
