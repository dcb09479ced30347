package main

import (
	"context"
	"errors"
	"strings"
	"unicode/utf8"

	"github.com/alecthomas/kong"

	"github.com/epctl/endpoint/grammar"
)

// verbs is the command line. Each verb is in the file of its name.
type verbs struct {
	Check      checkCmd      `cmd:"" help:"Tell whether strings are right, and what is wrong where."`
	Parse      parseCmd      `cmd:"" help:"Show how strings read, as JSON."`
	Explain    explainCmd    `cmd:"" help:"Show what a string means: its layers and all their parameters."`
	Fmt        fmtCmd        `cmd:"" help:"Write strings in canonical form."`
	Try        tryCmd        `cmd:"" help:"Listen, connect back, exchange bytes and report; or connect and report."`
	TLS        tlsCmd        `cmd:"" name:"tls" help:"Shake hands with a server, and show its certificates and what was agreed on."`
	Dial       dialCmd       `cmd:"" help:"Connect stdin and stdout with a peer."`
	Listen     listenCmd     `cmd:"" help:"Listen, and show or echo what comes."`
	Resolve    resolveCmd    `cmd:"" help:"Show what resolvers know of a name, in the order of attempts."`
	Interfaces interfacesCmd `cmd:"" help:"Show the interfaces and addresses, and what would be listened on and joined."`
	List       listCmd       `cmd:"" help:"List the endpoints that there are."`
	Doc        docCmd        `cmd:"" help:"Tell an endpoint's parameters."`
	Schema     schemaCmd     `cmd:"" help:"Write the JSON Schema of all endpoints."`
	Completion completionCmd `cmd:"" help:"Write the completion script of a shell."`
	Plugins    pluginsCmd    `cmd:"" help:"List, install, verify, remove, document and test plugins that are programs of their own."`
	Version    versionCmd    `cmd:"" help:"Tell the version of epctl."`
	Complete   completeCmd   `cmd:"" name:"__complete" hidden:"" help:"Write the ways to go on with a command line, for completion scripts."`

	PluginDir dirList `name:"plugin-dir" placeholder:"DIR" help:"Directory of plugins that are programs, or several with colons between them; otherwise those of ENDPOINT_PLUGIN_DIR. Nowhere else is looked for any."`
}

const description = `Checks, explains and tries endpoint strings, which say what to connect to or what to listen on, such as
tcp6:port=80:interface=[::1].`

// command reads the command line and runs the verb.
func (a *app) command(ctx context.Context, args []string) error {
	if err := validText(args); err != nil {
		return err
	}
	left, line := false, new(verbs)
	parser, err := newParser(a, ctx, line, func(int) { left = true })
	if err != nil {
		return err
	}
	parsed, err := parser.Parse(args)
	switch {
	case left: // help was asked for and is printed
		return nil
	case err != nil:
		return a.usage(err, args)
	}
	return a.plugged(parsed.Selected().Target.Addr().Interface(), line.PluginDir, func() error { return parsed.Run() })
}

// validText tells of an argument that is not UTF-8, which kong would mend silently.
func validText(args []string) error {
	for _, arg := range args {
		if !utf8.ValidString(arg) {
			_, err := grammar.Parse(arg)
			return err
		}
	}
	return nil
}

func newParser(a *app, ctx context.Context, line *verbs, exit func(int)) (*kong.Kong, error) {
	return kong.New(line,
		kong.Name("epctl"),
		kong.Description(description),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, NoExpandSubcommands: true, WrapUpperBound: 100}),
		kong.Writers(a.out.file, a.err.file),
		kong.Exit(exit),
		kong.Bind(a),
		kong.BindTo(ctx, (*context.Context)(nil)),
	)
}

// usage says which help to ask for about an error of the command line, and hides the secrets of strings in it.
func (a *app) usage(err error, args []string) error {
	a.plugQuietly(args)
	message, command := err.Error(), "epctl"
	for _, arg := range args {
		if strings.Contains(arg, ":") {
			message = strings.ReplaceAll(message, arg, judge(a.registry, arg, "").text)
		}
	}
	if len(args) > 0 && strings.Contains(args[0], ":") {
		message = "a verb comes before an endpoint, such as check or try"
	}
	var parse *kong.ParseError
	if errors.As(err, &parse) {
		if node := parse.Context.Selected(); node != nil {
			command = node.FullPath()
		}
	}
	return &usageError{message, command + " --help"}
}
