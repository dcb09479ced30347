// Command empty does nothing: what it takes is what any program takes to start and end.
package main

func main() {}
