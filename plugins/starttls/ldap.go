package starttls

import (
	"errors"
	"fmt"
)

// ldap is the StartTLS operation of RFC 4511 section 4.14, an extended operation: one request, one response.
//
// After TLS the client is anonymous, and binds; what it had read of the root DSE is read again (RFC 4513 section 3.1.5).
// The numbers of messages may begin anew. A server behind this one refuses another StartTLS by operationsError.
//
// In the mode opportunistic there is nothing to read again for a client, whose first message may have the number 2 or any
// other; a server reads the first request that is no StartTLS.
func ldap() protocol {
	return protocol{name: "ldap", client: ldapClient, server: ldapServer}
}

// Names of extended operations.
const (
	ldapStartTLS   = "1.3.6.1.4.1.1466.20037" // RFC 4511 section 4.14
	ldapDisconnect = "1.3.6.1.4.1.1466.20036" // section 4.4.1
)

// Tags of operations, RFC 4511 section 4.2 to 4.12.
const (
	ldapUnbind           = 0x42
	ldapAbandon          = 0x50
	ldapExtendedRequest  = 0x77
	ldapExtendedResponse = 0x78

	ldapRequestName  = 0x80
	ldapReferral     = 0xa3
	ldapResponseName = 0x8a
	ldapControls     = 0xa0
)

// Codes of results, RFC 4511 appendix A.
const (
	ldapSuccess      = 0
	ldapProtocol     = 2
	ldapCritical     = 12 // unavailableCriticalExtension
	ldapConfidential = 13
)

// ldapResponse is the tag of the response to an operation.
func ldapResponse(request byte) (response byte, ok bool) {
	switch request {
	case 0x60, 0x66, 0x68, 0x6c, 0x6e, ldapExtendedRequest: // bind, modify, add, modify DN, compare
		return request + 1, true
	case 0x63: // search, done
		return 0x65, true
	case 0x4a: // delete
		return 0x6b, true
	}
	return 0, false
}

// An ldapMessage is an LDAPMessage of RFC 4511 section 4.1.1.
type ldapMessage struct {
	id        int32
	operation byte
	fields    []byte
	critical  bool // one of its controls is critical; we know none
}

func (d *dialogue) ldapMessage() (ldapMessage, error) {
	parts, err := d.sequence()
	if err != nil {
		return ldapMessage{}, err
	}
	if len(parts) < 2 || parts[0].tag != berInteger || len(parts) > 3 || len(parts) == 3 && parts[2].tag != ldapControls {
		return ldapMessage{}, d.broken("", "a SEQUENCE that is no LDAPMessage")
	}
	id, err := parts[0].number()
	if err != nil {
		return ldapMessage{}, d.broken("", "the messageID: %w", err)
	}
	m := ldapMessage{id: id, operation: parts[1].tag, fields: parts[1].content}
	if len(parts) == 3 {
		if m.critical, err = ldapCriticality(parts[2].content); err != nil {
			return ldapMessage{}, d.broken("", "the controls: %w", err)
		}
	}
	return m, nil
}

var errLDAPControl = errors.New("one that is none")

// ldapCriticality reports whether one of the controls is critical (RFC 4511 section 4.1.11).
func ldapCriticality(controls []byte) (critical bool, err error) {
	all, err := berAll(controls)
	if err != nil {
		return false, err
	}
	for _, control := range all {
		parts, err := berAll(control.content)
		if err != nil {
			return false, err
		}
		if control.tag != berSequence || len(parts) == 0 || parts[0].tag != berOctets {
			return false, errLDAPControl
		}
		if parts = parts[1:]; len(parts) > 0 && parts[0].tag == berBoolean {
			if len(parts[0].content) != 1 {
				return false, errLDAPControl
			}
			critical = critical || parts[0].content[0] != 0
			parts = parts[1:]
		}
		if len(parts) > 1 || len(parts) == 1 && parts[0].tag != berOctets {
			return false, errLDAPControl
		}
	}
	return critical, nil
}

const ldapID = 1 // of the only message that a client sends here

func ldapClient(d *dialogue, _ clientTerms) error {
	d.stage = StageUpgrade
	request := berEncode(ldapExtendedRequest, berEncode(ldapRequestName, []byte(ldapStartTLS)))
	if err := d.write(ldapEncode(ldapID, request)); err != nil {
		return err
	}
	m, err := d.ldapMessage()
	if err != nil {
		return err
	}
	if m.operation != ldapExtendedResponse {
		return d.broken("", "the operation %#x where an ExtendedResponse is due", m.operation)
	}
	r, err := ldapResultOf(m.fields)
	switch {
	case err != nil:
		return d.broken(string(m.fields), "the ExtendedResponse: %w", err)
	case m.id == 0 && r.name == ldapDisconnect:
		d.over = true // a Notice of Disconnection
		return r.refusal(d)
	case m.id != ldapID:
		return d.broken("", "the messageID %d where %d is due", m.id, ldapID)
	case r.name != "" && r.name != ldapStartTLS:
		return d.broken(r.name, "a response to another operation")
	case r.code != ldapSuccess:
		return r.refusal(d)
	}
	return nil
}

// An ldapResult is an LDAPResult, RFC 4511 section 4.1.9, with the name of an ExtendedResponse.
type ldapResult struct {
	code       int32
	diagnostic string
	name       string
}

func ldapResultOf(fields []byte) (ldapResult, error) {
	parts, err := berAll(fields)
	if err != nil {
		return ldapResult{}, err
	}
	if len(parts) < 3 || parts[0].tag != berEnumerated || parts[1].tag != berOctets || parts[2].tag != berOctets {
		return ldapResult{}, errors.New("no LDAPResult")
	}
	r := ldapResult{diagnostic: string(parts[2].content)}
	if r.code, err = parts[0].number(); err != nil {
		return ldapResult{}, fmt.Errorf("the resultCode: %w", err)
	}
	more := parts[3:]
	if len(more) > 0 && more[0].tag == ldapReferral {
		more = more[1:] // whereto a server in plain text would have us go (ST-06)
	}
	if len(more) > 0 && more[0].tag == ldapResponseName {
		r.name = string(more[0].content)
	}
	return r, nil
}

// refusal is the error of a result. Who does not know the operation answers protocolError (section 4.12).
func (r ldapResult) refusal(d *dialogue) error {
	refused := ErrRefused
	if r.code == ldapProtocol {
		refused = ErrNotOffered
	}
	return d.fail(fmt.Errorf("%w: result code %d", refused, r.code), r.diagnostic)
}

func ldapServer(d *dialogue, t serverTerms) error {
	d.stage = StageUpgrade
	for range maxCommands {
		from := len(d.spoken)
		m, err := d.ldapMessage()
		switch {
		case err != nil:
			return err
		case m.id == 0:
			return d.broken("", "a request with the messageID 0")
		case m.operation == ldapUnbind:
			return d.fail(errLeft, "")
		case m.operation == ldapAbandon:
			continue // nothing is under way, and there is no response
		}
		asked, err := d.ldapAsked(m)
		switch {
		case err != nil:
			return err
		case asked && !m.critical:
			return d.goAhead(ldapEncode(m.id, ldapEncodeResult(ldapExtendedResponse, ldapSuccess)))
		case !asked && t.plain:
			return d.without(t, from, nil)
		}
		if err := d.ldapRefuse(m); err != nil {
			return err
		}
	}
	return d.broken("", "more than %d requests before TLS", maxCommands)
}

// ldapAsked reports whether a request is StartTLS.
func (d *dialogue) ldapAsked(m ldapMessage) (bool, error) {
	if m.operation != ldapExtendedRequest {
		return false, nil
	}
	parts, err := berAll(m.fields)
	switch {
	case err != nil:
		return false, d.broken(string(m.fields), "the ExtendedRequest: %w", err)
	case len(parts) == 0 || parts[0].tag != ldapRequestName:
		return false, d.broken(string(m.fields), "an ExtendedRequest without a name")
	case string(parts[0].content) != ldapStartTLS:
		return false, nil
	case len(parts) > 1:
		return false, d.broken(string(m.fields), "a StartTLS with more than its name")
	}
	return true, nil
}

// ldapRefuse answers a request that needs TLS first, or has a control that is critical: a server that does not know that one
// must not do what it is asked, and that is so for StartTLS too (RFC 4511 section 4.1.11).
func (d *dialogue) ldapRefuse(m ldapMessage) error {
	response, ok := ldapResponse(m.operation)
	if !ok {
		return d.broken("", "the operation %#x", m.operation)
	}
	code := byte(ldapConfidential)
	if m.critical {
		code = ldapCritical
	}
	return d.write(ldapEncode(m.id, ldapEncodeResult(response, code)))
}

func ldapEncode(id int32, operation []byte) []byte {
	number := []byte{byte(id >> 24), byte(id >> 16), byte(id >> 8), byte(id)}
	for len(number) > 1 && number[0] == 0 && number[1] < 0x80 {
		number = number[1:]
	}
	return berEncode(berSequence, berEncode(berInteger, number), operation)
}

// ldapEncodeResult makes a response of an LDAPResult without texts.
func ldapEncodeResult(operation, code byte) []byte {
	return berEncode(operation, berEncode(berEnumerated, []byte{code}), berEncode(berOctets), berEncode(berOctets))
}
