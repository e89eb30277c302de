// Package board reads how the box itself is: heat, throttling, memory, disk. It goes through gopsutil, and through the
// firmware's own file for what a Raspberry Pi knows of its power supply.
package board

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/shirou/gopsutil/v3/common"
	"github.com/shirou/gopsutil/v3/disk"
	"github.com/shirou/gopsutil/v3/host"
	"github.com/shirou/gopsutil/v3/load"
	"github.com/shirou/gopsutil/v3/mem"
)

// Figures are one reading. What a board cannot tell is marked by its Known member, or is zero where zero cannot be.
type Figures struct {
	Temperature      float64 // degrees Celsius of the hottest sensor
	TemperatureKnown bool
	Throttled        Throttling
	ThrottledKnown   bool
	DiskFree         uint64 // bytes free for the service on the disk of Config.Dir
	DiskTotal        uint64
	MemoryAvailable  uint64 // bytes
	MemoryTotal      uint64
	Load             float64 // average of a minute
	Uptime           time.Duration
	ClockSet         bool // a time server holds the clock
	ClockKnown       bool
	Wear             int // tenths of the card's life used, 11 is beyond its end
	WearKnown        bool
}

// Throttling is what the firmware of a Raspberry Pi says of power and heat (its get_throttled word).
type Throttling uint32

// Now tells whether the board is slowed down or under voltage at this moment.
func (t Throttling) Now() bool { return t&0xf != 0 }

// UnderVoltage tells whether the power supply is too weak at this moment.
func (t Throttling) UnderVoltage() bool { return t&1 != 0 }

// Board reads the figures of one box.
type Board struct {
	Dir  string // a folder on the disk to be watched
	Proc string // instead of /proc; "" is the box's own
	Sys  string // instead of /sys; "" is the box's own
}

// throttledFile is where the firmware driver of Raspberry Pi OS shows the word.
const throttledFile = "devices/platform/soc/soc:firmware/get_throttled"

// Read takes a reading. The error joins what could not be read; the figures hold the rest.
func (b Board) Read(ctx context.Context) (Figures, error) {
	env := common.EnvMap{}
	if b.Proc != "" {
		env[common.HostProcEnvKey] = b.Proc
	}
	if b.Sys != "" {
		env[common.HostSysEnvKey] = b.Sys
	}
	ctx = context.WithValue(ctx, common.EnvKey, env)
	var f Figures
	var faults []error
	if m, err := mem.VirtualMemoryWithContext(ctx); err != nil {
		faults = append(faults, err)
	} else {
		f.MemoryAvailable, f.MemoryTotal = m.Available, m.Total
	}
	if d, err := disk.UsageWithContext(ctx, b.Dir); err != nil {
		faults = append(faults, err)
	} else {
		f.DiskFree, f.DiskTotal = d.Free, d.Total
	}
	if l, err := load.AvgWithContext(ctx); err == nil {
		f.Load = l.Load1
	}
	if up, err := host.UptimeWithContext(ctx); err == nil {
		f.Uptime = time.Duration(up) * time.Second
	}
	// A board without sensors is normal; the list then is empty, with or without an error.
	sensors, _ := host.SensorsTemperaturesWithContext(ctx)
	for _, s := range sensors {
		if s.Temperature > 0 && s.Temperature < 150 && (!f.TemperatureKnown || s.Temperature > f.Temperature) {
			f.Temperature, f.TemperatureKnown = s.Temperature, true
		}
	}
	sys := b.Sys
	if sys == "" {
		sys = "/sys"
	}
	f.ClockSet, f.ClockKnown = clock()
	f.Wear, f.WearKnown = wear(sys)
	switch word, err := os.ReadFile(filepath.Join(sys, throttledFile)); {
	case err == nil:
		n, err := strconv.ParseUint(strings.TrimPrefix(strings.TrimSpace(string(word)), "0x"), 16, 32)
		if err != nil {
			faults = append(faults, fmt.Errorf("read %s: %w", throttledFile, err))
			break
		}
		f.Throttled, f.ThrottledKnown = Throttling(n), true
	case !errors.Is(err, fs.ErrNotExist):
		faults = append(faults, err)
	}
	return f, errors.Join(faults...)
}

// ClockSet tells whether the wall clock can be believed: a time server holds it, or the system does not tell. It is quick
// enough to be asked at each order.
func ClockSet() bool {
	synchronised, known := clock()
	return synchronised || !known
}
