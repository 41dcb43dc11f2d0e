package configured

import (
	"net"

	"github.com/gobwas/ws/wsutil"
)

func init() { wsutil.SetMaxFrameSize(1 << 16) }

func serve(conn net.Conn) { wsutil.ReadClientData(conn) }
