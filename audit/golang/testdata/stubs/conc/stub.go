// Package conc stands for github.com/sourcegraph/conc.
package conc

type WaitGroup struct{}

func (w *WaitGroup) Go(f func()) {}
func (w *WaitGroup) Wait()       {}
