package headcount

import (
	"testing"
	"testing/synctest"
)

func TestTopShownGivesKeysAsTheyAreShown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		users := up(t, NewKeyedSupervisor[string]("users", MaxChildren(10), MaxPerKey(3), WithLogger(quiet)))
		for _, key := range []string{"a/b", "bob", "bob"} {
			if _, err := users.At(key).Go(t.Context(), untilStopped); err != nil {
				t.Fatal(err)
			}
		}
		top := users.TopShown(10)
		if len(top) != 2 || top[0] != (KeyCount[string]{"bob", "bob", 2}) || top[1].Key != `"a\x2fb"` || top[1].Count != 1 {
			t.Errorf("the top keys are %+v", top)
		}
		if top := users.TopShown(0); top != nil {
			t.Errorf("none are %+v", top)
		}
	})
}
