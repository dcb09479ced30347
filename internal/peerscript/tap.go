package peerscript

// A record tells plain text from TLS in a stream of bytes, by the framing of TLS records (RFC 8446 section 5.1): whatever is no record, is plain text.
type record struct {
	plain   []byte // plain text, in the order in which it came
	late    []byte // the part of plain that came behind a TLS record
	records int    // TLS records, incomplete ones included
	hello   bool   // one of them carries handshake messages

	header  []byte // of the next record, as far as it has come
	payload int    // bytes that are still to come of the current record
}

// addPlain takes bytes that are known to be plain text, because they were read as such.
func (r *record) addPlain(b []byte) {
	r.plain = append(r.plain, b...)
	if r.records > 0 {
		r.late = append(r.late, b...)
	}
}

// add takes bytes of which it is not known what they are.
func (r *record) add(b []byte) {
	for len(b) > 0 {
		if r.payload > 0 {
			n := min(r.payload, len(b))
			r.payload -= n
			b = b[n:]
			continue
		}
		r.header = append(r.header, b[0])
		b = b[1:]
		for len(r.header) > 0 && !couldBeRecord(r.header) {
			r.addPlain(r.header[:1])
			r.header = r.header[1:]
		}
		if len(r.header) == 5 {
			r.begin()
		}
	}
}

// begin begins a record whose header is complete.
func (r *record) begin() {
	r.records++
	r.hello = r.hello || r.header[0] == 22
	r.payload = int(r.header[3])<<8 | int(r.header[4])
	r.header = nil
}

// end is told that nothing more comes: a part of a header is none.
func (r *record) end() {
	r.addPlain(r.header)
	r.header = nil
}

// couldBeRecord reports whether b can be the beginning of a record's header: content type, version 3.x, length.
func couldBeRecord(b []byte) bool {
	return b[0] >= 20 && b[0] <= 23 &&
		(len(b) < 2 || b[1] == 3) && (len(b) < 3 || b[2] <= 4) &&
		(len(b) < 4 || int(b[3])<<8 <= 1<<14+256)
}
