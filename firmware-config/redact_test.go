package firmwareconfig

import (
	"strings"
	"testing"
)

func TestRedacted(t *testing.T) {
	const text = `# the admin's password is hunter2
site: {id: rig-1, name: Brasserie Bellevue, timezone: Europe/Paris, currency: EUR} # and 4711
http: {listen: "127.0.0.1:0", tokens_file: /etc/aboyeur/tokens}
printers:
  - {name: grill, connect: "tcp:127.0.0.1:9100", model: epson-tm-t88}
stations:
  - {name: grill, printers: [grill], default: true}
`
	c, err := Parse("box.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	got := c.Redacted()
	for _, want := range []string{"rig-1", "tcp:127.0.0.1:9100", "tokens_file: /etc/aboyeur/tokens", "epson-tm-t88"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is not in\n%s", want, got)
		}
	}
	if _, err := Parse("box.yaml", []byte(got)); err != nil {
		t.Errorf("what is left is no configuration: %v", err)
	}
	for _, secret := range []string{"hunter2", "4711"} {
		if strings.Contains(got, secret) {
			t.Errorf("%q of a comment is in\n%s", secret, got)
		}
	}
	// No key of today holds a secret; one of tomorrow must not slip through.
	c.source = []byte("a: {client_secret: s3cret, api_key: s3cret, pin: \"4729\", secret_file: /x, base_url: \"https://me:s3cret@host/x?apiKey=s3cret&y=1\", monkey: banana, list: [{password: s3cret}]}\n")
	got = c.Redacted()
	if strings.Contains(got, "s3cret") || strings.Contains(got, "4729") || !strings.Contains(got, "secret_file: /x") || !strings.Contains(got, "banana") || !strings.Contains(got, "&y=1") {
		t.Errorf("redacted to\n%s", got)
	}
}
