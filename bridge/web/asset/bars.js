// bars.js draws how many there were of each half-hour or day: a column each, what was late on top of it, with stripes, so
// that it is seen without colours too.

import { number, svg } from './base.js';

const W = 960, H = 220, LEFT = 28, TOP = 10, BOTTOM = 24;

// bars makes the drawing.
//   columns  [{label, tickets, warned, late, says}]
//   label    says it all to who cannot see it
//   told     is called with says of the column under the pointer, "" when there is none
export function bars({ columns, label, told }) {
  const most = Math.max(1, ...columns.map(c => c.tickets)), step = (W - LEFT) / columns.length, wide = Math.min(56, step * .72), floor = H - BOTTOM;
  const tall = v => (floor - TOP) * v / most;
  const every = Math.max(1, Math.ceil(columns.length / 16));
  const ticks = [...new Set([0, Math.round(most / 2), most])];
  const piece = (kind, x, from, to) => to > from ? svg('rect', { class: kind, x: x.toFixed(1), width: wide.toFixed(1), y: (floor - tall(to)).toFixed(1), height: tall(to - from).toFixed(1) }) : null;
  const e = svg('svg', { class: 'bars', viewBox: `0 0 ${W} ${H}`, role: 'img', 'aria-label': label },
    svg('defs', {}, ['warned', 'late'].map(kind => svg('pattern', { id: 'p-' + kind, class: 'p-' + kind, width: 6, height: 6, patternUnits: 'userSpaceOnUse', patternTransform: kind === 'late' ? 'rotate(45)' : 'rotate(-45)' },
      svg('rect', { width: 6, height: 6 }), svg('line', { x1: 0, x2: 6, y1: 3, y2: 3 })))),
    ticks.map(v => [svg('line', { class: v ? 'b-grid' : 's-axis', x1: LEFT, x2: W, y1: floor - tall(v), y2: floor - tall(v) }), svg('text', { class: 's-word', x: LEFT - 6, y: floor - tall(v) + 4, 'text-anchor': 'end' }, number(v))]),
    columns.map((c, i) => {
      const x = LEFT + step * i + (step - wide) / 2, well = Math.max(0, c.tickets - c.warned - c.late);
      return svg('g', { class: 'b-column' }, svg('rect', { class: 'b-hit', x: LEFT + step * i, y: 0, width: step, height: floor }),
        piece('b-well', x, 0, well), piece('b-warned', x, well, well + c.warned), piece('b-late', x, well + c.warned, c.tickets),
        i % every === 0 ? svg('text', { class: 's-word', x: x + wide / 2, y: H - 6, 'text-anchor': 'middle' }, c.label) : null);
    }));
  e.addEventListener('pointermove', ev => {
    const box = e.getBoundingClientRect(), i = Math.floor(((ev.clientX - box.left) / box.width * W - LEFT) / step);
    told(columns[i]?.says || '');
  });
  e.addEventListener('pointerleave', () => told(''));
  return e;
}
