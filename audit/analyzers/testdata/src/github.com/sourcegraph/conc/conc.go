package conc

type WaitGroup struct{}

func NewWaitGroup() *WaitGroup   { return nil }
func (h *WaitGroup) Go(f func()) {}
func (h *WaitGroup) Wait()       {}
