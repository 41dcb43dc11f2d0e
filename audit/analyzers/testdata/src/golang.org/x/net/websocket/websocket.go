package websocket

type Conn struct{ MaxPayloadBytes int }
