//go:build !linux

package alliface

const childVariable = "ENDPOINT_TEST_ALLIFACE_CHILD"

func child() int { return 1 }
