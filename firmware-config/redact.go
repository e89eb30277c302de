package firmwareconfig

import (
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Redacted is the configuration as it was read, for somebody else's eyes: without comments, which hold what nobody planned,
// and without the value of any key that may be a secret. The configuration names the files of its secrets and holds none
// itself; this keeps it so when somebody wrote one into an address.
func (c *Config) Redacted() string {
	var root yaml.Node
	if err := yaml.Unmarshal(c.source, &root); err != nil {
		return "" // it was read once; it is read again
	}
	redact(&root)
	b, err := yaml.Marshal(&root)
	if err != nil {
		return ""
	}
	return string(b)
}

var (
	secretKey = regexp.MustCompile(`(?i)secret|passw|token|credential|private|cookie|(^|_)(key|pin|auth)($|_)`)
	inAddress = regexp.MustCompile(`(?i)(://)[^/@\s]+@|([?&](?:[a-z_]*(?:key|token|secret|password|pass|auth|pin))=)[^&\s]+`)
)

func redact(n *yaml.Node) {
	n.HeadComment, n.LineComment, n.FootComment = "", "", ""
	if n.Kind == yaml.ScalarNode {
		n.Value = inAddress.ReplaceAllString(n.Value, "$1$2***")
	}
	for i, child := range n.Content {
		redact(child)
		if n.Kind == yaml.MappingNode && i%2 == 1 && child.Kind == yaml.ScalarNode && child.Value != "" {
			if key := n.Content[i-1].Value; secretKey.MatchString(key) && !strings.HasSuffix(key, "_file") {
				child.SetString("***")
			}
		}
	}
}
