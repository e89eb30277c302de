// chart.js draws the last hour of a figure: a line, its limit as a line of its own, and the value under the pointer.
// Times of milliseconds to minutes stand on a logarithmic scale, where a tenth of the limit can still be seen.

import { clock, svg, t } from './base.js';

const W = 360, H = 132, LEFT = 4, RIGHT = 4, TOP = 16, BOTTOM = 18, MINUTE = 60e3;

// chart makes the drawing.
//   points  one a minute, oldest first; null where nothing was measured
//   span    how many minutes the width is
//   until   when the last was taken, ms
//   limit   0 for none
//   log     a logarithmic scale
//   format  writes a value
//   label   says it all to who cannot see it
//   told    is called with the words of the minute under the pointer, "" when there is none
export function chart({ points, span = 60, until, limit, log, format, label, told }) {
  const known = points.filter(v => v !== null);
  const most = Math.max(limit || 0, ...known, 0) || 1, least = log ? Math.min(limit / 200 || most / 200, ...known.filter(v => v > 0)) / 1.4 : 0;
  const top = log ? most * 1.8 : most * 1.2, floor = H - BOTTOM;
  const x = i => LEFT + (W - LEFT - RIGHT) * (span - points.length + i) / (span - 1);
  const y = v => floor - (floor - TOP) * (log ? Math.log(Math.max(v, least) / least) / Math.log(top / least) : v / top);
  // Runs of minutes that were measured; a gap is a gap.
  const runs = [];
  points.forEach((v, i) => { if (v === null) return; if (i && points[i - 1] !== null) runs.at(-1).push([i, v]); else runs.push([[i, v]]); });
  const path = run => run.map(([i, v], k) => `${k ? 'L' : 'M'}${x(i).toFixed(1)} ${y(v).toFixed(1)}`).join('');
  const rule = svg('line', { class: 's-rule', y1: TOP - 6, y2: floor, visibility: 'hidden' }), dot = svg('circle', { class: 's-dot', r: 3.5, visibility: 'hidden' });
  const start = until - (span - 1) * MINUTE;
  const e = svg('svg', { class: 'chart', viewBox: `0 0 ${W} ${H}`, role: 'img', 'aria-label': label },
    svg('line', { class: 's-axis', x1: LEFT, x2: W - RIGHT, y1: floor, y2: floor }),
    runs.map(run => run.length > 1 ? [svg('path', { class: 's-fill', d: `${path(run)}L${x(run.at(-1)[0]).toFixed(1)} ${floor}L${x(run[0][0]).toFixed(1)} ${floor}Z` }), svg('path', { class: 's-line', d: path(run) })]
      : svg('circle', { class: 's-point', cx: x(run[0][0]), cy: y(run[0][1]), r: 2 })),
    limit ? [svg('line', { class: 's-limit', x1: LEFT, x2: W - RIGHT, y1: y(limit), y2: y(limit) }), svg('text', { class: 's-word s-limit-word', x: LEFT, y: y(limit) - 4 }, t('health.limit', format(limit)))] : null,
    rule, dot,
    svg('text', { class: 's-word', x: LEFT, y: H - 3 }, clock(start)), svg('text', { class: 's-word', x: W - RIGHT, y: H - 3, 'text-anchor': 'end' }, clock(until)));
  const hide = () => { for (const m of [rule, dot]) m.setAttribute('visibility', 'hidden'); told(''); };
  e.addEventListener('pointermove', ev => {
    const box = e.getBoundingClientRect(), at = (ev.clientX - box.left) / box.width * W;
    const i = Math.round((at - LEFT) / (W - LEFT - RIGHT) * (span - 1)) - (span - points.length);
    if (!(i >= 0 && i < points.length)) { hide(); return; }
    rule.setAttribute('x1', x(i));
    rule.setAttribute('x2', x(i));
    rule.setAttribute('visibility', 'visible');
    const v = points[i];
    dot.setAttribute('visibility', v === null ? 'hidden' : 'visible');
    if (v !== null) { dot.setAttribute('cx', x(i)); dot.setAttribute('cy', y(v)); }
    told(`${clock(until - (points.length - 1 - i) * MINUTE)} · ${v === null ? t('health.nothing') : format(v)}`);
  });
  e.addEventListener('pointerleave', hide);
  return e;
}
