package interop

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/epctl/endpoint/internal/testenv"
)

// Clients that people use, each with as much of an application behind TLS as makes it content. @PORT and @CA stand for
// those of our server.
func TestServerAgainstNativeClients(t *testing.T) {
	const curl = "curl --silent --show-error --ipv4 --ssl-reqd --cacert @CA --max-time 20 "
	for _, tc := range []struct {
		name, proto, command string
		app                  func(net.Conn)
		want                 string // what the client prints
	}{
		{"curl sends mail", "smtp", curl + "smtp://localhost:@PORT/client.test --mail-from a@x --mail-rcpt b@x --upload-file @MESSAGE", mailbox("EHLO"), ""},
		{"curl reads mail by POP", "pop3", curl + "--user u:p pop3://localhost:@PORT/", maildrop(), "1 7"},
		{"curl reads mail by IMAP", "imap", curl + "--sasl-ir --user u:p --request NOOP imap://localhost:@PORT/", imap(), "* 1 EXISTS"},
		{"curl speaks FTP", "ftp", curl + "--user u:p --head --quote NOOP ftp://localhost:@PORT/", ftp(), ""},
		{"ldapsearch", "ldap", "ldapsearch -ZZ -x -LLL -H ldap://127.0.0.1:@PORT -b  -s base", directory, "dn:"},
		{"swaks by SMTP", "smtp", "swaks --server localhost:@PORT --helo client.test --from a@x --to b@x --tls --tls-verify --tls-ca-path @CA", mailbox("EHLO"), "250 taken"},
		{"swaks by LMTP", "lmtp", "swaks --protocol LMTP --server localhost:@PORT --helo client.test --from a@x --to b@x --tls --tls-verify --tls-ca-path @CA", mailbox("LHLO"), "250 taken"},
		{"psql", "postgres", "psql -X -A -t -c hello sslmode=verify-full,sslrootcert=@CA,host=localhost,port=@PORT,user=u,dbname=d", database, "hello"},
		{"mariadb", "mysql", "mariadb --no-defaults --protocol=tcp --host=localhost --port=@PORT --user=u --ssl-ca=@CA --ssl-verify-server-cert --execute=hello", mysql, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			s := serveSTARTTLS(t, tc.proto, tc.app)
			if got := output(t, s.command(t, tc.command)); !strings.Contains(got, tc.want) {
				t.Errorf("it says %q, wanted %q", got, tc.want)
			}
		})
	}
}

// command takes a line apart at each single space; commas stand for the spaces within a word.
func (s service) command(t *testing.T, line string) *exec.Cmd {
	t.Helper()
	file := t.TempDir() + "/message"
	if err := os.WriteFile(file, []byte("Subject: hello\r\n\r\nhello\r\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	line = strings.NewReplacer("@PORT", fmt.Sprint(s.port), "@CA", s.ca, "@MESSAGE", file).Replace(line)
	words := strings.Split(line, " ")
	for i := range words {
		words[i] = strings.ReplaceAll(words[i], ",", " ")
	}
	cmd := exec.CommandContext(testContext(t), testenv.Tool(t, words[0]), words[1:]...)
	cmd.Env = append(os.Environ(), "LDAPTLS_CACERT="+s.ca, "LDAPRC=/dev/null")
	return cmd
}

// Python's own library has the client of news.
func TestServerAgainstPython(t *testing.T) {
	python := twistedPython(t)
	for proto, app := range map[string]func(net.Conn){
		"smtp": mailbox("EHLO"), "pop3": maildrop(), "imap": imap(), "ftp": ftp(), "nntp": news(),
	} {
		t.Run(proto, func(t *testing.T) {
			t.Parallel()
			s := serveSTARTTLS(t, proto, app)
			out := output(t, exec.CommandContext(testContext(t), python, "testdata/starttls_client.py", proto, fmt.Sprint(s.port), s.ca))
			if want := "TLSv1.3\n"; out != want {
				t.Errorf("it says %q, wanted %q", out, want)
			}
		})
	}
}
