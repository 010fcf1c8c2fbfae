package tls

import (
	"bytes"
	"crypto"
	cryptotls "crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// A Certificate is a chain with its key, ready to be shown to clients.
type Certificate struct {
	Path  string // of the file with the chain
	names []string
	tls   cryptotls.Certificate
	ecdsa bool // or Ed25519: preferred where the client takes it
}

// A reader finds files; tests and chroots have their own.
type reader struct {
	readFile func(string) ([]byte, error)
	extraKey bool // look for FILE.key where FILE has none
}

// kinds are the endings of a bundle of files for one name, one for each kind of
// key, of which the name without an ending is not a file.
var kinds = []string{".rsa", ".ecdsa", ".dsa"}

// load reads what one crt says: a file, a folder of files, or a bundle.
func (r reader) load(path string) ([]*Certificate, error) {
	if files, err := os.ReadDir(path); err == nil {
		return r.loadFolder(path, files)
	}
	cert, err := r.loadFile(path)
	if err == nil {
		return []*Certificate{cert}, nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	var all []*Certificate
	for _, kind := range kinds {
		cert, kindErr := r.loadFile(path + kind)
		switch {
		case kindErr == nil:
			all = append(all, cert)
		case !errors.Is(kindErr, fs.ErrNotExist):
			return nil, kindErr
		}
	}
	if len(all) == 0 {
		return nil, err
	}
	return all, nil
}

// besides are endings of files that belong to another file.
var besides = []string{".key", ".ocsp", ".issuer", ".sctl"}

// loadFolder reads all certificates of a folder in alphabetic order (manual,
// "crt").
func (r reader) loadFolder(path string, files []os.DirEntry) ([]*Certificate, error) {
	var all []*Certificate
	for _, f := range files {
		name := f.Name()
		if f.IsDir() || strings.HasPrefix(name, ".") || slices.Contains(besides, filepath.Ext(name)) {
			continue
		}
		cert, err := r.loadFile(filepath.Join(path, name))
		if err != nil {
			return nil, err
		}
		all = append(all, cert)
	}
	return all, nil
}

func (r reader) loadFile(path string) (*Certificate, error) {
	text, err := r.readFile(path)
	if err != nil {
		return nil, cantRead(path, err)
	}
	chain, key := splitPEM(text)
	if len(chain) == 0 {
		return nil, fmt.Errorf("%s holds no certificate", path)
	}
	if len(key) == 0 && r.extraKey {
		beside, err := r.readFile(path + ".key")
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, cantRead(path+".key", err)
		}
		_, key = splitPEM(beside)
	}
	if len(key) == 0 {
		return nil, fmt.Errorf("%s holds no private key, and there is no %s.key with one", path, path)
	}
	c := &Certificate{Path: path}
	if c.tls, err = cryptotls.X509KeyPair(chain, key); err != nil {
		return nil, fmt.Errorf("%s: %s", path, strings.TrimPrefix(err.Error(), "tls: "))
	}
	c.describe()
	if err := r.staple(c); err != nil {
		return nil, err
	}
	return c, nil
}

// cantRead keeps fs.ErrNotExist to be asked for.
func cantRead(path string, err error) error {
	var pathErr *fs.PathError
	if errors.As(err, &pathErr) {
		err = pathErr.Err
	}
	return fmt.Errorf("can't read %s: %w", path, err)
}

// splitPEM parts certificates from keys. Parameters for Diffie-Hellman, which Go
// has no use for, are left out.
func splitPEM(text []byte) (chain, key []byte) {
	for {
		var block *pem.Block
		if block, text = pem.Decode(text); block == nil {
			return chain, key
		}
		switch {
		case block.Type == "CERTIFICATE":
			chain = append(chain, pem.EncodeToMemory(block)...)
		case strings.HasSuffix(block.Type, "PRIVATE KEY") && key == nil:
			key = pem.EncodeToMemory(block)
		}
	}
}

// describe notes what the choice of a certificate asks for.
func (c *Certificate) describe() {
	leaf := c.tls.Leaf
	c.ecdsa = leaf.PublicKeyAlgorithm != x509.RSA
	c.names = nil
	for _, name := range append([]string{leaf.Subject.CommonName}, leaf.DNSNames...) {
		name = strings.ToLower(name)
		if name != "" && !slices.Contains(c.names, name) {
			c.names = append(c.names, name)
		}
	}
}

// Leaf is the site's own certificate.
func (c *Certificate) Leaf() *x509.Certificate { return c.tls.Leaf }

// Key is the private key.
func (c *Certificate) Key() crypto.PrivateKey { return c.tls.PrivateKey }

// staple takes the answer of an OCSP responder and certificate timestamps that
// stand in files beside the certificate.
func (r reader) staple(c *Certificate) error {
	ocsp, err := r.readFile(c.Path + ".ocsp")
	switch {
	case err == nil:
		c.tls.OCSPStaple = bytes.Clone(ocsp)
	case !errors.Is(err, fs.ErrNotExist):
		return cantRead(c.Path+".ocsp", err)
	}
	list, err := r.readFile(c.Path + ".sctl")
	switch {
	case err == nil:
		if c.tls.SignedCertificateTimestamps, err = splitTimestamps(list); err != nil {
			return fmt.Errorf("%s.sctl: %s", c.Path, err)
		}
	case !errors.Is(err, fs.ErrNotExist):
		return cantRead(c.Path+".sctl", err)
	}
	return nil
}

// splitTimestamps reads a SignedCertificateTimestampList (RFC 6962 section 3.3).
func splitTimestamps(b []byte) (all [][]byte, err error) {
	wrong := errors.New("is no list of signed certificate timestamps")
	if len(b) < 2 || int(binary.BigEndian.Uint16(b)) != len(b)-2 {
		return nil, wrong
	}
	for b = b[2:]; len(b) > 0; {
		if len(b) < 2 {
			return nil, wrong
		}
		n := int(binary.BigEndian.Uint16(b))
		if b = b[2:]; n > len(b) {
			return nil, wrong
		}
		all, b = append(all, bytes.Clone(b[:n])), b[n:]
	}
	return all, nil
}
