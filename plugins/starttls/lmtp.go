package starttls

// lmtp is RFC 3207 over LMTP: RFC 2033 section 4.1 has LHLO in place of EHLO, and all else as in SMTP, which says what comes
// after TLS, with LHLO in place of EHLO.
func lmtp() protocol { return mail{name: "lmtp", hello: "LHLO", service: "LMTP"}.protocol() }
