package main

import (
	"crypto/x509"
	"encoding/pem"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/epctl/endpoint/grammar"
	"github.com/epctl/endpoint/internal/certs"
	"github.com/epctl/endpoint/internal/tlsconn"
	"github.com/epctl/endpoint/registry"
)

// A credential is what a client has to know to verify a server's certificate.
type credential struct {
	name  string // whom the certificate is for; "" where it is for nobody, and its key has to do
	roots string // file of the authorities to trust, "" for the system's
	pin   string // of the certificate's key
	how   string // what is trusted, for people
}

// verifying changes out, the client of plugin p for the TLS server that layer is, so that it verifies the server's
// certificate.
func (d *deriver) verifying(out *grammar.Description, layer *registry.Layer, p registry.Plugin, role registry.Role) error {
	params := p.Params(role)
	roots := slices.IndexFunc(params, func(p registry.Param) bool { return isTrustRoots(p.Name) })
	if roots < 0 || certificateParam(layer) == "" {
		return nil
	}
	c, err := d.credential(layer)
	if err != nil {
		return err
	}
	d.trusted = c.how
	f := fields{out}
	if auth, _ := givenText(layer, "clientAuth"); auth != "require" {
		f.drop("certificate", "certKey", "privateKey")
	}
	if err := d.beneath(f, layer, params); err != nil {
		return err
	}
	switch {
	case c.name == "":
		f.set("verify", "none")
		f.set("pin", c.pin)
		return nil
	case slices.ContainsFunc(params, func(p registry.Param) bool { return p.Name == "hostname" }):
		f.set("hostname", c.name)
	default:
		f.set("host", c.name)
	}
	if c.roots != "" {
		f.set(params[roots].Name, c.roots)
	}
	return nil
}

// beneath gives a client that may go over another one such a one, where the server listens by itself: so that what is
// connected to and whose certificate is expected need not be the same.
func (d *deriver) beneath(f fields, layer *registry.Layer, params []registry.Param) error {
	inner := slices.IndexFunc(params, func(p registry.Param) bool { return p.Kind == registry.Kind(registry.RoleClient) && !p.Required })
	if inner < 0 || f.has(params[inner].Name) {
		return nil
	}
	f.drop("host", "port")
	for _, p := range d.plain(layer.Role, registry.RoleClient) {
		nested, err := d.description(layer, p, registry.RoleClient)
		if err != nil {
			continue
		}
		if _, _, err := d.registry.Build(nested.String(), registry.RoleClient); err == nil {
			f.Fields = append(f.Fields, grammar.Field{Key: params[inner].Name, Keyed: true, Nested: nested})
			return nil
		}
	}
	return errors.New("no client connects to " + address(d.addr))
}

// fields are those of a description, which has each key once.
type fields struct{ *grammar.Description }

func (f fields) has(key string) bool {
	return slices.ContainsFunc(f.Fields, func(field grammar.Field) bool { return field.Keyed && field.Key == key })
}

func (f fields) drop(keys ...string) {
	f.Fields = slices.DeleteFunc(f.Fields, func(field grammar.Field) bool { return field.Keyed && slices.Contains(keys, field.Key) })
}

func (f fields) set(key, value string) {
	f.drop(key)
	f.Fields = append(f.Fields, grammar.Field{Key: key, Keyed: true, Value: value})
}

// credential finds out what a client has to know of the certificate of layer.
func (d *deriver) credential(layer *registry.Layer) (credential, error) {
	files, dir := filesOf(layer)
	if made := d.made; made != nil && files.Certificate == made.cert {
		return credential{name: made.names[0], roots: made.roots, how: "by the throw-away authority"}, nil
	}
	var named []certs.Files
	if dir == "" {
		named = append(named, files)
	}
	all, err := certs.NewStore(dir, named...).Load()
	if len(all) == 0 {
		return credential{}, err
	}
	leaf := all[0].Leaf
	c := credential{name: nameFor(leaf, layer), pin: "sha256/" + tlsconn.PinOf(leaf).String()}
	if c.name == "" {
		c.how = "by its key alone: the certificate is for no name"
		return c, nil
	}
	chain := parsedChain(all[0].Certificate)
	if c.how = trustedBySystem(leaf, chain); c.how != "" {
		return c, nil
	}
	c.how = trustedAsItIs(chain)
	c.roots = files.Certificate
	if dir != "" {
		c.roots, err = d.writeChain(chain)
	}
	return c, err
}

// filesOf are the files of a TLS server's certificate, or the directory that they are in.
func filesOf(layer *registry.Layer) (files certs.Files, dir string) {
	for _, arg := range layer.Args {
		switch text := arg.Shown(); arg.Param.Name {
		case "path":
			dir = text
		case "certificate", "certKey":
			files.Certificate = text
		case "privateKey":
			files.PrivateKey = text
		case "extraCertChain":
			files.Chain = text
		}
	}
	if files.Certificate == "" {
		files.Certificate = files.PrivateKey
	}
	return files, dir
}

// nameFor is the first name that leaf is for, or the server's own where it is for that; "" where it is for none.
func nameFor(leaf *x509.Certificate, layer *registry.Layer) string {
	if host, ok := givenText(layer, "host"); ok && leaf.VerifyHostname(host) == nil {
		return host
	}
	for _, name := range certs.Names(leaf) {
		if rest, wild := strings.CutPrefix(name, "*."); wild {
			name = "www." + rest
		}
		if leaf.VerifyHostname(name) == nil {
			return name
		}
	}
	return ""
}

func parsedChain(ders [][]byte) (chain []*x509.Certificate) {
	for _, der := range ders {
		if c, err := x509.ParseCertificate(der); err == nil {
			chain = append(chain, c)
		}
	}
	return chain
}

// trustedBySystem tells which root of the system leaf comes from, "" for none. Whether it is valid now is for the client
// to find out.
func trustedBySystem(leaf *x509.Certificate, chain []*x509.Certificate) string {
	intermediates := x509.NewCertPool()
	for _, c := range chain[1:] {
		intermediates.AddCert(c)
	}
	at := time.Now()
	if at.After(leaf.NotAfter) || at.Before(leaf.NotBefore) {
		at = leaf.NotBefore.Add(leaf.NotAfter.Sub(leaf.NotBefore) / 2)
	}
	paths, err := leaf.Verify(x509.VerifyOptions{Intermediates: intermediates, CurrentTime: at})
	if err != nil || len(paths) == 0 {
		return ""
	}
	return "by the root " + paths[0][len(paths[0])-1].Subject.String() + " of the system"
}

// trustedAsItIs tells what of a chain is trusted where the system knows none of it.
func trustedAsItIs(chain []*x509.Certificate) string {
	top := chain[len(chain)-1]
	switch {
	case len(chain) == 1 && isSelfSigned(top):
		return "by the certificate itself, which is self-signed"
	case isSelfSigned(top):
		return "by the root " + top.Subject.String() + ", which stands in its file"
	}
	return "by the certificate itself: " + top.Issuer.String() + ", the issuer, is no root of this system"
}

// writeChain writes a chain into a file that the try removes.
func (d *deriver) writeChain(chain []*x509.Certificate) (string, error) {
	dir, err := d.scratch()
	if err != nil {
		return "", err
	}
	var text []byte
	for _, c := range chain {
		text = append(text, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})...)
	}
	path := filepath.Join(dir, "roots.pem")
	return path, os.WriteFile(path, text, 0o600)
}
