package audit

import (
	"context"

	"github.com/headcount-go/headcount/audit/live"
	"github.com/headcount-go/headcount/audit/report"
	"github.com/headcount-go/headcount/observe/client"
)

// Live reviews a running program. Of the configuration Paths and NewFrom do not apply.
//
// An error means that the program does not answer, or that the baseline cannot be read.
func Live(ctx context.Context, c Config, program *client.Client) (*report.Report, error) {
	base, err := realDir(c.Dir)
	if err != nil {
		return nil, err
	}
	answers, err := c.answers(base)
	if err != nil {
		return nil, err
	}
	found, err := live.Review(ctx, program)
	if err != nil {
		return nil, err
	}
	return answers.report([]string{program.Address()}, found, nil), nil
}
