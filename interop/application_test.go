package interop

import (
	"bufio"
	"encoding/binary"
	"io"
	"net"
	"strings"
)

// A reply is what a minimal application says to lines that begin in a way, in any case of letters. It says nothing to
// other lines: they are a message.
type reply struct{ to, text string }

// answers is an application of a protocol of lines. The client's word before the first space, its tag, stands for TAG in a
// text; a text that begins with BYE is the last one, without that word.
func answers(tagged bool, replies ...reply) func(net.Conn) {
	return func(c net.Conn) {
		in := bufio.NewReader(c)
		for {
			line, err := in.ReadString('\n')
			if err != nil {
				return
			}
			tag := ""
			if tagged {
				tag, line, _ = strings.Cut(line, " ")
			}
			text := find(replies, line)
			last := strings.HasPrefix(text, "BYE")
			text = strings.ReplaceAll(strings.TrimPrefix(text, "BYE"), "TAG", tag)
			if _, err := io.WriteString(c, text); err != nil || last {
				return
			}
		}
	}
}

func find(replies []reply, line string) string {
	for _, r := range replies {
		if strings.HasPrefix(strings.ToUpper(line), r.to) {
			return r.text
		}
	}
	return ""
}

// mailbox takes every message; hello is how its client greets.
func mailbox(hello string) func(net.Conn) {
	return answers(false,
		reply{hello, "250-localhost\r\n250 8BITMIME\r\n"}, reply{"MAIL FROM:", "250 ok\r\n"}, reply{"RCPT TO:", "250 ok\r\n"},
		reply{"DATA", "354 go on\r\n"}, reply{".\r\n", "250 taken\r\n"}, reply{"NOOP", "250 ok\r\n"}, reply{"QUIT", "BYE221 bye\r\n"})
}

// maildrop has one message, for the user u with the password p.
func maildrop() func(net.Conn) {
	return answers(false,
		reply{"CAPA", "+OK\r\nUSER\r\nUIDL\r\n.\r\n"}, reply{"USER U", "+OK\r\n"}, reply{"PASS P", "+OK\r\n"},
		reply{"STAT", "+OK 1 7\r\n"}, reply{"LIST", "+OK\r\n1 7\r\n.\r\n"}, reply{"QUIT", "BYE+OK\r\n"})
}

// imap has no message, for the user u with the password p.
func imap() func(net.Conn) {
	return answers(true,
		reply{"CAPABILITY", "* CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN\r\nTAG OK done\r\n"}, reply{"LOGIN ", "TAG OK done\r\n"}, reply{"AUTHENTICATE PLAIN ", "TAG OK done\r\n"},
		reply{"NOOP", "* 1 EXISTS\r\nTAG OK done\r\n"}, reply{"LOGOUT", "BYE* BYE\r\nTAG OK done\r\n"})
}

// ftp has the user u with the password p, an empty directory, and no data connections.
func ftp() func(net.Conn) {
	return answers(false,
		reply{"USER U", "331 password\r\n"}, reply{"PASS P", "230 welcome\r\n"}, reply{"PBSZ 0", "200 ok\r\n"},
		reply{"PROT P", "200 ok\r\n"}, reply{"PWD", "257 \"/\"\r\n"}, reply{"NOOP", "200 ok\r\n"}, reply{"QUIT", "BYE221 bye\r\n"},
		reply{"", "502 no\r\n"})
}

// news has no group.
func news() func(net.Conn) {
	return answers(false,
		reply{"CAPABILITIES", "101 these\r\nVERSION 2\r\nREADER\r\n.\r\n"}, reply{"DATE", "111 20261124000000\r\n"},
		reply{"MODE READER", "200 ok\r\n"}, reply{"QUIT", "BYE205 bye\r\n"}, reply{"", "500 no\r\n"})
}

// directory is an LDAP server with the root DSE alone; see RFC 4511 for the messages, all of which are short ones.
func directory(c net.Conn) {
	const success = "\x0a\x01\x00\x04\x00\x04\x00"
	for {
		message, err := message(c, 2, func(header []byte) int { return int(header[1]) })
		if err != nil {
			return
		}
		// SEQUENCE, length, INTEGER, 1, the number of the message, the kind of request
		number, kind := message[4], message[5]
		text := ""
		switch kind {
		case 0x60: // bind
			text = ldapMessage(number, "\x61\x07"+success)
		case 0x63: // search: an entry with no name and no attribute, and the end
			text = ldapMessage(number, "\x64\x04\x04\x00\x30\x00") + ldapMessage(number, "\x65\x07"+success)
		default: // unbind
			return
		}
		if _, err := io.WriteString(c, text); err != nil {
			return
		}
	}
}

func ldapMessage(number byte, body string) string {
	return string([]byte{0x30, byte(3 + len(body)), 0x02, 0x01, number}) + body
}

// message reads a message whose length comes of its header.
func message(c net.Conn, header int, length func(header []byte) int) ([]byte, error) {
	all := make([]byte, header, 4096)
	if _, err := io.ReadFull(c, all); err != nil {
		return nil, err
	}
	all = append(all, make([]byte, length(all))...)
	_, err := io.ReadFull(c, all[header:])
	return all, err
}

// database is a PostgreSQL server that trusts everybody, and says one word to every query; see "Message Formats" in
// PostgreSQL's manual.
func database(c net.Conn) {
	const ready = "Z\x00\x00\x00\x05I"
	if _, err := message(c, 4, func(h []byte) int { return int(binary.BigEndian.Uint32(h)) - 4 }); err != nil {
		return
	}
	text := "R\x00\x00\x00\x08\x00\x00\x00\x00" + "S\x00\x00\x00\x19client_encoding\x00UTF8\x00" + ready
	for {
		if _, err := io.WriteString(c, text); err != nil {
			return
		}
		query, err := message(c, 5, func(h []byte) int { return int(binary.BigEndian.Uint32(h[1:])) - 4 })
		if err != nil || query[0] != 'Q' {
			return
		}
		row := "T\x00\x00\x00\x1a\x00\x01a\x00" + "\x00\x00\x00\x00" + "\x00\x00" + "\x00\x00\x00\x19" + "\xff\xff" + "\xff\xff\xff\xff" + "\x00\x00"
		text = row + "D\x00\x00\x00\x0f\x00\x01\x00\x00\x00\x05hello" + "C\x00\x00\x00\x0dSELECT 1\x00" + ready
	}
}

// mysql is a MySQL server that is content with everything.
func mysql(c net.Conn) {
	for {
		packet, err := message(c, 4, func(h []byte) int { return int(h[0]) | int(h[1])<<8 | int(h[2])<<16 })
		if err != nil || len(packet) == 5 && packet[4] == 1 { // COM_QUIT
			return
		}
		if _, err := io.WriteString(c, "\x07\x00\x00"+string([]byte{packet[3] + 1})+"\x00\x00\x00\x02\x00\x00\x00"); err != nil {
			return
		}
	}
}
