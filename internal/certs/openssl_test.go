package certs_test

import (
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/epctl/endpoint/internal/certs"
	"github.com/epctl/endpoint/internal/testenv"
)

// What openssl writes is read: keys in all its forms, and certificates with its text around them.
func TestWhatOpenSSLWrites(t *testing.T) {
	tool := testenv.Tool(t, "openssl")
	dir := t.TempDir()
	run := func(args ...string) {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), tool, args...)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("openssl %q: %v\n%s", args, err, out)
		}
	}
	run("ecparam", "-genkey", "-name", "prime256v1", "-out", "sec1.pem")
	run("pkey", "-in", "sec1.pem", "-text", "-out", "pkcs8.pem")
	run("genpkey", "-algorithm", "ed25519", "-out", "ed25519.pem")
	run("genrsa", "-traditional", "-out", "pkcs1.pem", "2048")
	for _, key := range []string{"sec1.pem", "pkcs8.pem", "ed25519.pem", "pkcs1.pem"} {
		run("req", "-x509", "-new", "-key", key, "-subj", "/CN=a.example", "-addext", "subjectAltName=DNS:a.example", "-days", "20", "-text", "-out", "cert-"+key)
		files := certs.Files{Certificate: filepath.Join(dir, "cert-"+key), PrivateKey: filepath.Join(dir, key)}
		if got := commonNames(mustLoad(t, certs.NewStore("", files))); got != "a.example" {
			t.Errorf("%s: there is %q", key, got)
		}
		for _, p := range certs.NewStore("", files).Inspect(time.Now(), "a.example") {
			if p.Level != certs.Note {
				t.Errorf("%s: %s", key, p.Message)
			}
		}
	}

	run("pkcs12", "-export", "-in", "cert-sec1.pem", "-inkey", "sec1.pem", "-passout", "pass:x", "-out", "both.p12")
	run("pkcs12", "-in", "both.p12", "-passin", "pass:x", "-nodes", "-out", "both.pem")
	if got := commonNames(mustLoad(t, certs.NewStore("", certs.Files{Certificate: filepath.Join(dir, "both.pem")}))); got != "a.example" {
		t.Errorf("out of PKCS #12 comes %q", got)
	}
	run("x509", "-in", "cert-sec1.pem", "-trustout", "-addtrust", "serverAuth", "-out", "trusted.pem")
	run("x509", "-in", "cert-sec1.pem", "-outform", "DER", "-out", "cert.der")
	run("pkcs8", "-topk8", "-in", "sec1.pem", "-passout", "pass:x", "-out", "encrypted8.pem")
	run("rsa", "-traditional", "-in", "pkcs1.pem", "-aes128", "-passout", "pass:x", "-out", "encrypted1.pem")
	for file, words := range map[string]string{
		"both.p12": "openssl pkcs12", "cert.der": "openssl x509 -inform DER", "trusted.pem": "openssl x509 -in OLD",
		"encrypted8.pem": "openssl pkey -in OLD", "encrypted1.pem": "openssl pkey -in OLD",
	} {
		files := certs.Files{Certificate: filepath.Join(dir, "cert-sec1.pem"), PrivateKey: filepath.Join(dir, file)}
		if file[0] != 'e' {
			files.Certificate = filepath.Join(dir, file)
		}
		_, err := certs.NewStore("", files).Load()
		refused(t, err, file, words)
	}
}
