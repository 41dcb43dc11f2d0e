package jobs

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"

	"golang.org/x/image/draw"

	"github.com/headcount-go/headcount"
)

// resizePlan is what is known of a resize before a pixel is decoded.
type resizePlan struct {
	width, height int   // of the result
	bytes         int64 // of both pictures in memory
}

// planResize reads no more than the header. A PNG of a few kilobytes can claim, and really decode to, gigabytes: its
// size must be known to be harmless before any of it is decoded.
func planResize(r io.Reader, width int, limits Limits) (resizePlan, error) {
	cfg, err := png.DecodeConfig(r)
	if err != nil {
		return resizePlan{}, bad("data is not a PNG: %v", err)
	}
	if width < 1 || width > limits.Width {
		return resizePlan{}, bad("width must be 1 to %d", limits.Width)
	}
	// 64 bits: the sides come from outside, each may be 2^31-1.
	pixels := int64(cfg.Width) * int64(cfg.Height)
	if pixels > int64(limits.Pixels) {
		return resizePlan{}, bad("the picture is %d x %d, more than %d pixels", cfg.Width, cfg.Height, limits.Pixels)
	}
	height := max(1, int64(cfg.Height)*int64(width)/int64(cfg.Width))
	if height*int64(width) > int64(limits.Pixels) {
		return resizePlan{}, bad("the picture would become %d x %d, more than %d pixels", width, height, limits.Pixels)
	}
	perPixel := int64(4)
	switch cfg.ColorModel {
	case color.RGBA64Model, color.NRGBA64Model:
		perPixel = 8
	}
	return resizePlan{width, int(height), pixels*perPixel + height*int64(width)*4}, nil
}

// resized is the result of a resize.
type resized struct {
	Width  int    `json:"width"`
	Height int    `json:"height"`
	PNG    []byte `json:"png"` // base64 on the wire
}

func resize(ctx context.Context, data []byte, width int, limits Limits) (json.RawMessage, error) {
	plan, err := planResize(bytes.NewReader(data), width, limits)
	if err != nil {
		return nil, err
	}
	if err := headcount.Charge(ctx, plan.bytes); err != nil {
		return nil, fmt.Errorf("a picture of %d bytes: %w", plan.bytes, err)
	}
	defer headcount.Charge(ctx, -plan.bytes)

	src, err := png.Decode(cancelReader{ctx, bytes.NewReader(data)})
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case err != nil:
		return nil, bad("data is not a PNG: %v", err)
	}
	dst := image.NewNRGBA(image.Rect(0, 0, plan.width, plan.height))
	// The better kernels hold 32 bytes for each pixel of a strip between the two pictures; this one holds nothing.
	draw.ApproxBiLinear.Scale(dst, dst.Bounds(), src, src.Bounds(), draw.Src, nil)
	out := limitedBuffer{room: limits.Result}
	if err := png.Encode(&out, dst); err != nil {
		return nil, bad("the result cannot be kept: %v", err)
	}
	return json.Marshal(resized{plan.width, plan.height, out.Bytes()})
}

// cancelReader ends with its context. It is how a decoder that knows no context is stopped.
type cancelReader struct {
	ctx context.Context
	r   io.Reader
}

func (c cancelReader) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	// Small pieces, so that the context is looked at often.
	return c.r.Read(p[:min(len(p), 4096)])
}

// limitedBuffer takes no more than room bytes.
type limitedBuffer struct {
	bytes.Buffer
	room int
}

var errTooLong = errors.New("it is too long")

func (b *limitedBuffer) Write(p []byte) (int, error) {
	if b.Len()+len(p) > b.room {
		return 0, errTooLong
	}
	return b.Buffer.Write(p)
}
