// Package gin stands for github.com/gin-gonic/gin.
package gin

type Context struct{}

func (c *Context) ShouldBindJSON(v any) error { return nil }
func (c *Context) Query(name string) string   { return "" }
func (c *Context) Status(code int)            {}

type HandlerFunc func(*Context)

type Engine struct{}

func Default() *Engine { return &Engine{} }

func (e *Engine) POST(path string, handlers ...HandlerFunc) {}
