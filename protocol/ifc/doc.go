// Package ifc is the ground that FIAS and XML_POS share: records between STX and ETX on a TCP connection or on a serial
// line. It knows nothing of what a record says.
//
//	record -> Stream -> STX record ETX ------> TCP, TLS
//	record -> Line ---> STX record ETX LRC --> RS-232, or a converter that speaks it over TCP
//	                    ACK NAK ENQ, timers, repeats
//
// Both are a Conn and serve either end, the vendor's and IFC8's. A Decoder and a SerialDecoder cut a stream of bytes into
// records with a bounded memory; the encoders are AppendFrame and AppendSerial. A send that failed says whether the peer
// may have got the record: errors.Is(err, ErrNotSent) is certain, errors.Is(err, ErrUncertain) is not, and only the former
// may be repeated without asking.
//
// Rules come from docs/spec/fias.md section 1; its numbers are cited as "fias.md 1.4".
package ifc
