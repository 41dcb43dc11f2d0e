module example.com/api

go 1.26.0

require github.com/gin-gonic/gin v0.0.0

replace github.com/gin-gonic/gin => ../stubs/gin

require google.golang.org/grpc v0.0.0

replace google.golang.org/grpc => ../stubs/grpc

require github.com/headcount-go/headcount v0.0.0

replace github.com/headcount-go/headcount => ../stubs/headcount

require github.com/gorilla/websocket v0.0.0

replace github.com/gorilla/websocket => ../stubs/websocket
