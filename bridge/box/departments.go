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
	if b.pos != nil {
		c.Groups = func(ctx context.Context) ([]department.Group, error) {
			list, err := b.pos.adapter.Groups(ctx)
			groups := make([]department.Group, len(list))
			for i, g := range list {
				groups[i] = department.Group{Category: g.Category, Value: g.Value}
			}
			return groups, err
		}
	}
	if b.departments, err = department.New(ctx, c); err != nil {
		return fmt.Errorf("read the departments: %w", err)
	}
	return nil
}
