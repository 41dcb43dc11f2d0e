// Package framework has the handlers of frameworks.
package framework

import (
	"io"
	"net/http"

	"github.com/gin-gonic/gin"
	"github.com/labstack/echo/v4"
)

func ginBind(c *gin.Context) {
	c.ShouldBindJSON(&struct{}{}) // want `ShouldBindJSON takes the body .* high external`
	io.ReadAll(c.Request.Body)    // want `io.ReadAll takes the body .* high external`
}

func ginLimited(c *gin.Context) {
	c.Request.Body = http.MaxBytesReader(c.Writer, c.Request.Body, 1<<20)
	c.ShouldBindJSON(&struct{}{})
}

func echoBind(c echo.Context) error {
	io.ReadAll(c.Request().Body) // want `HC114`
	return c.Bind(&struct{}{})   // want `Bind takes the body`
}

func echoLimited(c echo.Context) error {
	c.Request().Body = http.MaxBytesReader(nil, c.Request().Body, 1<<20)
	return c.Bind(&struct{}{})
}
