package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"go.uber.org/goleak"
)

func TestBatchesAreBounded(t *testing.T) {
	texts := func(yield func(text, error) bool) {
		for range 3000 {
			if !yield(text{string: strings.Repeat("x", 300)}, nil) {
				return
			}
		}
	}
	in, _ := batches(texts, batchTexts)
	total := 0
	for batch := range in {
		total += len(batch)
		if len(batch) > batchTexts || len(batch)*300 > batchBytes+300 {
			t.Errorf("a batch of %d texts", len(batch))
		}
	}
	if total != 3000 {
		t.Errorf("%d texts", total)
	}
}

func TestBatchesDoNotWaitForMoreInput(t *testing.T) {
	texts := func(yield func(text, error) bool) {
		_ = yield(text{string: "a"}, nil) && yield(text{string: "b", waits: true}, nil) && yield(text{string: "c"}, nil)
	}
	in, _ := batches(texts, batchTexts)
	var sizes []int
	for batch := range in {
		sizes = append(sizes, len(batch))
	}
	if !slices.Equal(sizes, []int{2, 1}) {
		t.Errorf("batches of %v", sizes)
	}
}

func TestMapOrderedKeepsTheOrderAndHoldsFewItems(t *testing.T) {
	defer goleak.VerifyNone(t)
	const workers = 3
	var begun, emitted atomic.Int64
	items := func(yield func(int) bool) {
		for i := range 1000 {
			begun.Add(1)
			if held := begun.Load() - emitted.Load(); held > 4*workers {
				t.Errorf("%d items are held", held)
			}
			if !yield(i) {
				return
			}
		}
	}
	next := 0
	err := mapOrdered(items, workers, func(i int) string { return fmt.Sprint(i) }, func(s string) error {
		if s != fmt.Sprint(next) {
			t.Errorf("%s in place of %d", s, next)
		}
		next++
		emitted.Add(1)
		return nil
	})
	if err != nil || next != 1000 {
		t.Errorf("%d items, %v", next, err)
	}
}

func TestMapOrderedEndsWithTheFirstError(t *testing.T) {
	defer goleak.VerifyNone(t)
	full := errors.New("disk full")
	forever := func(yield func(int) bool) {
		for i := 0; yield(i); i++ {
		}
	}
	n := 0
	err := mapOrdered(forever, 2, func(i int) int { return i }, func(int) error {
		if n++; n == 5 {
			return full
		}
		return nil
	})
	if !errors.Is(err, full) || n != 5 {
		t.Errorf("after %d: %v", n, err)
	}
}
