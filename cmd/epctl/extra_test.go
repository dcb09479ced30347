package main

import "github.com/epctl/endpoint/registry"

func extra(r *registry.Registry) *registry.Registry { return r }
