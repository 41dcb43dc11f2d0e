package beam

import (
	"context"

	"github.com/headcount-go/headcount/audit/report"
)

func reviewErlang(ctx context.Context, root string, files []string, o Options) report.Result {
	return report.Result{}
}
