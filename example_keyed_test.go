package headcount_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/headcount-go/headcount"
)

// Each user may have two sessions, all together a thousand. A user who has enough does not harm the others.
func ExampleKeyedSupervisor() {
	ctx := context.Background()
	users := headcount.NewKeyedSupervisor[string]("users",
		headcount.MaxChildren(1000), headcount.MaxPerKey(2), headcount.WithLogger(silent))
	users.Start(ctx)
	defer users.Stop(ctx)

	session := func(ctx context.Context) error { <-ctx.Done(); return nil }
	for range 3 {
		_, err := users.At("mallory").Go(ctx, session)
		fmt.Println("mallory:", err, errors.Is(err, headcount.ErrMaxPerKey))
	}
	_, err := users.At("alice").Go(ctx, session)
	fmt.Println("alice:", err)

	for _, k := range users.TopKeys(10) {
		fmt.Println(k.Name, k.Count)
	}
	fmt.Println(users.At("mallory").Terminate(ctx), users.At("mallory").Count())
	// Output:
	// mallory: <nil> false
	// mallory: <nil> false
	// mallory: users: start refused: max_per_key is 2 true
	// alice: <nil>
	// mallory 2
	// alice 1
	// <nil> 0
}

// What a user may have can depend on the user.
func ExampleMaxPerKeyFunc() {
	ctx := context.Background()
	paying := map[string]bool{"alice": true}
	users := headcount.NewKeyedSupervisor[string]("users", headcount.MaxChildren(1000), headcount.MaxPerKey(1),
		headcount.WithLogger(silent),
		headcount.MaxPerKeyFunc(func(user string, base int) int {
			if paying[user] {
				return 3 * base
			}
			return base
		}))
	users.Start(ctx)
	defer users.Stop(ctx)

	for _, user := range []string{"alice", "bob"} {
		started := 0
		for range 5 {
			if _, err := users.At(user).Go(ctx, func(ctx context.Context) error { <-ctx.Done(); return nil }); err == nil {
				started++
			}
		}
		fmt.Println(user, started)
	}
	// Output:
	// alice 3
	// bob 1
}
