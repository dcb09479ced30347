package certs

import (
	"crypto/tls"
	"testing"
)

func BenchmarkForServerUnderAWatch(b *testing.B) {
	s := NewStore("", oldPair(b, "a.example"))
	defer s.Watch(nil)()
	hello := &tls.ClientHelloInfo{ServerName: "a.example"}
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := s.ForServer(hello); err != nil {
				b.Error(err)
			}
		}
	})
}

func BenchmarkLoadOfUnchangedFiles(b *testing.B) {
	s := NewStore("", oldPair(b, "a.example"))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.Load(); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkPoolOfUnchangedFile(b *testing.B) {
	r := NewRoots(oldPair(b, "a.example").Certificate)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := r.Pool(); err != nil {
			b.Fatal(err)
		}
	}
}
