#!/bin/sh
# Makes the Go code of ../../wire/plugin.proto anew. It needs protoc (Debian: protobuf-compiler).
set -eu
bin=$(mktemp -d)
trap 'rm -rf "$bin"' EXIT
GOBIN=$bin go install google.golang.org/protobuf/cmd/protoc-gen-go@v1.36.6
GOBIN=$bin go install google.golang.org/grpc/cmd/protoc-gen-go-grpc@v1.3.0
PATH=$bin:$PATH protoc -I ../../wire --go_out=. --go_opt=paths=source_relative \
	--go-grpc_out=. --go-grpc_opt=paths=source_relative plugin.proto
# The version of protoc is nothing to make a difference of.
for file in plugin.pb.go plugin_grpc.pb.go; do
	sed '/^\/\/.*protoc  *v[0-9]/d' "$file" >"$file.new"
	mv "$file.new" "$file"
done
