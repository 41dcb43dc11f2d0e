package app

import (
	"io"
	"net/http"
	"strings"
	"testing"
)

func TestThePageShowsTheServiceAtAnAddressApart(t *testing.T) {
	c := testConfig(t)
	c.pageAddr = freeAddr(t)
	start(t, c)
	defer http.DefaultClient.CloseIdleConnections()
	resp, err := http.Get("http://" + c.pageAddr + "/api/v1/node?path=myapp/users")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode != http.StatusOK || !strings.Contains(string(text), `"max_per_key"`) {
		t.Errorf("%s: %s", resp.Status, text)
	}
}

func TestThePageIsNotServedToOthersWithoutAuthentication(t *testing.T) {
	c := testConfig(t)
	c.pageAddr = ":0"
	var told lockedBuffer
	if code := serve(t.Context(), c, &told, hooks{}); code != codeUsage || !strings.Contains(told.String(), "AllowChanges") {
		t.Errorf("exit code %d: %s", code, told.String())
	}
}
