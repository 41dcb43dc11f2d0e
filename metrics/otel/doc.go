// Package otelmetrics gives the numbers of Headcount's supervisors to OpenTelemetry, and spans for the lives of their
// children. It uses the API only: the program brings the SDK.
//
//	registration, err := otelmetrics.Register(otel.Meter("myapp"), otelmetrics.Config{}, app)
//	jobs := headcount.NewDynamicSupervisor("jobs", headcount.MaxChildren(64), headcount.Around(otelmetrics.Spans(otel.Tracer("myapp"))))
//
// All instruments are asynchronous ones with one callback, which reads the trees when metrics are collected and costs
// nothing in between. There is no asynchronous histogram: of lifetimes and waits there are the sum and the count. The
// buckets are in metrics/prom.
//
// # Instruments
//
// All have the attribute headcount.supervisor.path, but for the two of what is omitted. A supervisor that is a child of a
// dynamic or keyed one is not told of, but counted there.
//
//	headcount.child.count              {child}    slots held
//	headcount.child.max                {child}    the limit in force; not told of while there is none
//	headcount.child.peak               {child}
//	headcount.child.restarting         {child}
//	headcount.child.stuck              {child}
//	headcount.child.started            {child}
//	headcount.child.refused            {start}    by error.type: max_children and the like, and the names of gates
//	headcount.child.restarts           {restart}
//	headcount.child.exits              {child}    by headcount.exit.reason: normal, stopped, error, panic, goexit
//	headcount.child.lifetime.sum       s          not of declared children, as the next
//	headcount.child.lifetime.count     {child}
//	headcount.child.pending_starts     {start}
//	headcount.child.pending_starts_max {start}    of supervisors with a queue, as the next two
//	headcount.child.start_wait.sum     s
//	headcount.child.start_wait.count   {start}
//	headcount.supervisor.unlimited     1          1 if nothing limits the number of its children, else 0
//	headcount.supervisor.restart_budget       {restart}
//	headcount.supervisor.restart_budget_used  {restart}
//	headcount.key.max                  {child}    of keyed supervisors
//	headcount.descendant.count         {child}    of supervisors with MaxDescendants, as the next two
//	headcount.descendant.max           {child}
//	headcount.descendant.peak          {child}
//	headcount.memory.charged           By
//	headcount.memory.max               By
//	headcount.gate.max                 1          by headcount.gate.name, as the next two
//	headcount.gate.refused             {refusal}
//	headcount.gate.observed            {refusal}
//	headcount.limit.lowered            1          by headcount.limit.name: 1 while a machine's cap holds it below its setting
//	headcount.limit.changes            {change}   by headcount.limit.source
//	headcount.limit.review_time        s          by headcount.limit.name, since 1970; where a date was given
//	headcount.limit.source.sets        {set}      by headcount.limit.source and headcount.limit.result: set or refused as a whole
//	headcount.limit.source.refused     1          by headcount.limit.source: 1 while its limits are refused
//	headcount.supervisor.omitted       {supervisor}
//	headcount.gate.omitted             {gate}
package otelmetrics
