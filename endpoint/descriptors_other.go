//go:build !unix

package endpoint

import "net"

func maxDescriptors() (int, bool) { return 0, false }

func descriptorOf(net.Conn) (int, bool) { return 0, false }

func outOfDescriptors(error) bool { return false }

type spareDescriptor struct{}

func (s *spareDescriptor) take() {}

func (s *spareDescriptor) giveUp() bool { return false }
