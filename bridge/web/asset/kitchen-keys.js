// kitchen-keys.js: the keyboard, the bump bar that is one, and the serial bar whose keys the box passes on.

import { act, primary, turn, undoLast } from './kitchen-acts.js';
import { items } from './kitchen-items.js';
import { recall } from './kitchen-recall.js';
import { settings } from './kitchen-settings.js';
import { render } from './kitchen-slots.js';
import { board, here, tickets } from './kitchen-tickets.js';

const root = document.documentElement;
const LATE = 2e3; // ms after which the box's word of a struck key means nothing any more

function arrow(way) {
  const columns = Number(root.dataset.columns || 1);
  const places = board.visible().filter(i => board.at(i)?.id && board.at(i).part === 0);
  if (!places.length) return;
  const from = board.first(here.selected);
  if (from < 0) { here.selected = board.at(places[0]).id; render(); return; }
  const start = board.page * board.size;
  // Along the way that tickets follow one another an arrow goes to the next, across it to the nearest of the next row.
  const down = root.dataset.direction === 'down', line = down ? Number(root.dataset.rows || 1) : columns;
  const [next, back, over, under] = { right: ['right', 'left', 'down', 'up'], left: ['left', 'right', 'down', 'up'], down: ['down', 'up', 'right', 'left'] }[root.dataset.direction || 'right'];
  const along = i => (i - start) % line, across = i => Math.floor((i - start) / line);
  const ahead = places.filter(i => i !== from && ({ [next]: i > from, [back]: i < from, [over]: across(i) > across(from), [under]: across(i) < across(from) })[way]);
  if (!ahead.length) return;
  const far = i => way === next || way === back ? Math.abs(i - from) : Math.abs(across(i) - across(from)) * 100 + Math.abs(along(i) - along(from));
  here.selected = board.at(ahead.sort((a, b) => far(a) - far(b))[0]).id;
  render();
}

const slotOf = name => { const m = /^slot(\d+)$/.exec(name); return m ? Number(m[1]) - 1 : -1; };

// strike does what a key is for; false when it is for nothing here.
function strike(name) {
  const place = slotOf(name);
  if (recall.isOpen) {
    if (place >= 0) recall.choose(place);
    else if (name === 'recall' || name === 'undo') recall.hide();
    else if (name === 'page') recall.turn();
    else return false;
    return true;
  }
  if (items.isOpen) {
    if (items.strike(name, place)) return true;
    if (name === 'left' || name === 'right') {
      arrow(name);
      items.show(here.selected);
      return true;
    }
    items.hide();
  }
  if (place >= 0) {
    const s = board.at(board.page * board.size + place);
    if (place >= board.size || !s?.id) return true;
    if (settings.now.bump_at_once) primary(s.id);
    else { here.selected = s.id; render(); }
    return true;
  }
  switch (name) {
    case 'bump': enter(); return true;
    case 'start': if (here.selected) act('start', here.selected); return true;
    case 'fire': if (here.selected) act(tickets.get(here.selected)?.state === 'held' ? 'fire' : 'hold', here.selected); return true;
    case 'items':
      if (!here.selected) arrow('right');
      items.show(here.selected);
      return true;
    case 'recall': recall.show(); return true;
    case 'undo': undoLast(); return true;
    case 'page': turn(); return true;
    case 'left': case 'right': case 'up': case 'down': arrow(name); return true;
  }
  return false;
}

// enter bumps the selected ticket; with none selected it selects the oldest, so that one blow never bumps unseen.
function enter() {
  if (here.selected) primary(here.selected);
  else arrow('right');
}

const isModifier = code => /^(Control|Shift|Alt|Meta)(Left|Right)$/.test(code);
let alone = ''; // a modifier that is down with no other key: it counts as a key of its own when it is let go

addEventListener('keydown', e => {
  if (e.ctrlKey && (e.code === 'KeyP' || e.code === 'KeyR')) { // printing or reloading the browser is never meant here
    e.preventDefault();
    alone = '';
    return;
  }
  if (e.repeat) { e.preventDefault(); return; }
  if (isModifier(e.code)) { alone = e.code; return; }
  alone = '';
  if (e.ctrlKey || e.altKey || e.metaKey) return;
  if (settings.isOpen) {
    if (e.code === 'Escape') settings.hide();
    return; // its buttons take keys as buttons do
  }
  if (recall.isOpen && e.code === 'Escape') { recall.hide(); e.preventDefault(); return; }
  const name = settings.keymap.of(e);
  // A button that the Tab key reached takes Enter and Space itself.
  if (name === 'bump' && e.target.closest?.('button:focus-visible')) return;
  if (name && strike(name)) e.preventDefault();
});
addEventListener('keyup', e => {
  if (alone && e.code === alone && !settings.isOpen) {
    const name = settings.keymap.of({ code: e.code });
    if (name) strike(name);
  }
  alone = '';
});

// barStruck hears from the box of a key of this screen's serial bar.
export function barStruck({ byte, at }) {
  if (Math.abs(here.stream.now() - Date.parse(at)) > LATE || settings.locked) return;
  const name = settings.keymap.of({ byte });
  if (name) strike(name);
}
