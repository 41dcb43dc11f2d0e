package wsutil

import "io"

func SetMaxFrameSize(n int64)                              {}
func ReadClientData(rw io.ReadWriter) ([]byte, int, error) { return nil, 0, nil }
func ReadServerData(rw io.ReadWriter) ([]byte, int, error) { return nil, 0, nil }
