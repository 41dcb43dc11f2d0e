package headcount_test

import (
	"fmt"
	"time"

	"github.com/headcount-go/headcount"
)

func ExampleHistogram_Quantile() {
	h := headcount.Histogram{
		Bounds: []time.Duration{time.Millisecond, 2 * time.Millisecond, 4 * time.Millisecond},
		Counts: []uint64{90, 8, 1, 1},
		Count:  100,
	}
	fmt.Println(h.Quantile(0.5), h.Quantile(0.95), h.Quantile(0.99))
	// Output: 1ms 2ms 4ms
}
