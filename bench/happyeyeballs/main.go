// Command happyeyeballs measures the endpoint hostname beside net.Dialer, in one run and over one DNS server, and writes
// what comes out as text and as JSON. It makes two network namespaces for that, with a cable between them: a client's
// and a server's, where some addresses drop what is sent to them. It needs Linux, root, and the programs ip and nft.
//
//	go run ./happyeyeballs -out happyeyeballs
//
// It runs itself in the namespaces, with -role: once as the server, once as the DNS server on the client's loopback
// interface, and once as the client that measures.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
)

func main() {
	role := flag.String("role", "", "for the program's own use: serve, dns or measure")
	out := flag.String("out", "", "directory for report.txt and report.json; none where not given")
	effort := flag.Float64("effort", 1, "multiple of the usual number of dials")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *role, *out, *effort); err != nil {
		fmt.Fprintln(os.Stderr, "happyeyeballs:", err)
		stop()
		os.Exit(1)
	}
}

func run(ctx context.Context, role, out string, effort float64) error {
	switch role {
	case "":
		return report(ctx, out, effort)
	case "serve":
		return serve(ctx)
	case "dns":
		return serveDNS(ctx)
	case "measure":
		results, err := measureAll(ctx, effort, os.Stderr)
		if err != nil {
			return err
		}
		return json.NewEncoder(os.Stdout).Encode(results)
	}
	return fmt.Errorf("there is no role %q", role)
}

// report measures in a lab and shows and keeps what comes out.
func report(ctx context.Context, out string, effort float64) error {
	if runtime.GOOS != "linux" || os.Geteuid() != 0 {
		return errors.New("network namespaces need Linux and root")
	}
	r := newReport(effort, out)
	l, err := newLab(ctx)
	if err != nil {
		return err
	}
	defer l.close()
	raw, err := l.measure(ctx, effort)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(raw, &r.Results); err != nil {
		return err
	}
	r.LoadAfter = loadAverage()
	if _, err := io.WriteString(os.Stdout, r.text()); err != nil || out == "" {
		return err
	}
	return r.write(out)
}
