package box

import (
	"context"
	"fmt"
	"slices"

	"aboyeur/bridge/department"
)

// buildDepartments makes what says which statistic group a line belongs to.
func (b *Box) buildDepartments(ctx context.Context) (err error) {
	c := department.Config{Journal: b.journal, Now: b.now, Log: b.log}
	for _, s := range b.c.Stations {
		for _, name := range s.Categories {
			if !slices.Contains(c.Known, name) {
				c.Known = append(c.Known, name)
			}
		}
	}
	if b.departments, err = department.New(ctx, c); err != nil {
		return fmt.Errorf("read the departments: %w", err)
	}
	return nil
}
