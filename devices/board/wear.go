package board

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// wear reads how much of its life the most worn eMMC or SD device says to have used, in tenths: 1 is up to a tenth, 11 is
// beyond its end (JEDEC eMMC 5.0, DEVICE_LIFE_TIME_EST). Few SD cards tell; eMMC does.
func wear(sys string) (tenths int, known bool) {
	names, err := filepath.Glob(filepath.Join(sys, "block/mmcblk*/device/life_time"))
	if err != nil {
		return 0, false
	}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			continue
		}
		for _, word := range strings.Fields(string(text)) {
			n, err := strconv.ParseUint(strings.TrimPrefix(word, "0x"), 16, 8)
			if err == nil && n > 0 && n <= 11 {
				tenths, known = max(tenths, int(n)), true
			}
		}
	}
	return tenths, known
}
