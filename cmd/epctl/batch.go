package main

import "iter"

// Bounds of a batch: enough for a processor to be worth waking up, and little enough to hold a few of.
const (
	batchTexts = 1024
	batchBytes = 256 << 10
)

// batches groups texts, at most most of them, and gives on early what would wait for more input. The function that it returns tells the
// error that ended the input, once the batches are all taken.
func batches(texts iter.Seq2[text, error], most int) (iter.Seq[[]text], func() error) {
	var failure error
	in := func(yield func([]text) bool) {
		var batch []text
		size := 0
		for t, err := range texts {
			if err != nil {
				failure = err
				break
			}
			batch, size = append(batch, t), size+len(t.string)
			if len(batch) < most && size < batchBytes && !t.waits {
				continue
			}
			if !yield(batch) {
				return
			}
			batch, size = nil, 0
		}
		if len(batch) > 0 {
			yield(batch)
		}
	}
	return in, func() error { return failure }
}

// mapOrdered gives each item to work, on several goroutines, and the results to emit, on this one, in the order of the
// items. Only a few items are held at a time. An error of emit ends it.
func mapOrdered[A, B any](items iter.Seq[A], workers int, work func(A) B, emit func(B) error) error {
	type job struct {
		item   A
		result chan B
	}
	jobs := make(chan job)
	order := make(chan chan B, 2*workers)
	stop := make(chan struct{})
	defer close(stop)
	for range workers {
		go func() {
			for j := range jobs {
				j.result <- work(j.item)
			}
		}()
	}
	go func() {
		defer close(order)
		defer close(jobs)
		for item := range items {
			j := job{item, make(chan B, 1)}
			select {
			case order <- j.result:
				jobs <- j
			case <-stop:
				return
			}
		}
	}()
	for result := range order {
		if err := emit(<-result); err != nil {
			return err // without waiting for more input
		}
	}
	return nil
}
