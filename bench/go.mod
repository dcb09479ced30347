module github.com/epctl/endpoint/bench

go 1.26.0

require (
	github.com/epctl/endpoint v0.0.0
	golang.org/x/net v0.62.0
)

require (
	github.com/alecthomas/participle/v2 v2.1.4 // indirect
	golang.org/x/sys v0.49.0 // indirect
	golang.org/x/text v0.43.0 // indirect
)

replace github.com/epctl/endpoint => ../
