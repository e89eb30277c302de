// board.js places tickets in slots. A slot belongs to its ticket until the ticket leaves; a slot somebody just emptied
// stays empty for a while; nothing moves under a hand (screens.md, "Slots stick"). No elements here, only places.

export const UNDO = 8e3; // ms a bumped slot stays empty

export class Board {
  constructor() {
    this.size = 8; // slots on a page
    this.page = 0; // in view
    this.slots = []; // {id, part} | {ghost: {ticket, until, ...}} | undefined
  }

  at(i) { return this.slots[i]; }
  pages() { return Math.max(1, Math.ceil(this.slots.length / this.size)); }
  first(id) { return this.slots.findIndex(s => s?.id === id); }
  parts(id) { return this.slots.filter(s => s?.id === id).length; }
  trim() { while (this.slots.length && !this.slots.at(-1)) this.slots.pop(); }

  // resize keeps every ticket's place when the number of slots on a page did not change.
  resize(size) {
    if (size === this.size) return false;
    this.size = size;
    this.slots = [];
    this.page = 0;
    return true;
  }

  free(i) { return !this.slots[i]; }

  // fits tells whether count slots from i on are free and on one page.
  fits(i, count) {
    if (Math.floor(i / this.size) !== Math.floor((i + count - 1) / this.size)) return false;
    for (let k = 0; k < count; k++) if (!this.free(i + k)) return false;
    return true;
  }

  put(id, i, count) {
    for (let k = 0; k < count; k++) this.slots[i + k] = { id, part: k };
  }

  // settle gives every ticket a place: known ones keep theirs, waiting ones fill free slots, oldest first. need(id)
  // says how many slots a ticket wants. Tickets on later pages that nobody looks at move up.
  settle(ids, need, now) {
    const here = new Set(ids);
    this.slots.forEach((s, i) => {
      if (!s) return;
      if (s.ghost ? s.ghost.until <= now : !here.has(s.id)) this.slots[i] = undefined;
    });
    this.trim();
    const at = new Map(); // first slot of each ticket: a search for each of hundreds would be felt
    this.slots.forEach((s, i) => { if (s?.id && s.part === 0) at.set(s.id, i); });
    for (const id of ids) {
      const i = at.get(id) ?? -1;
      if (i >= 0) this.stretch(id, i, Math.min(need(id), this.size));
    }
    for (const id of ids) {
      const i = at.get(id) ?? -1;
      const want = Math.min(need(id), this.size);
      if (i < 0) {
        let k = 0;
        while (!this.fits(k, want)) k++;
        this.put(id, k, want);
      } else if (Math.floor(i / this.size) > 0 && Math.floor(i / this.size) !== this.page) {
        const to = this.earlier(i, want);
        if (to >= 0) {
          this.leave(id);
          this.put(id, to, want);
        }
      }
    }
    this.trim();
    if (this.page >= this.pages()) this.page = this.pages() - 1;
  }

  // earlier finds a place for count slots on a page before the one of slot i.
  earlier(i, count) {
    const end = Math.floor(i / this.size) * this.size;
    for (let k = 0; k < end; k++) if (this.fits(k, count)) return k;
    return -1;
  }

  // stretch gives a ticket that grew the slots after its own if they are free, and takes back those it no longer needs.
  stretch(id, i, want) {
    let have = this.parts(id);
    while (have > want) this.slots[i + --have] = undefined;
    while (have < want && this.free(i + have) && Math.floor(i / this.size) === Math.floor((i + have) / this.size)) {
      this.slots[i + have] = { id, part: have };
      have++;
    }
  }

  leave(id) { this.slots.forEach((s, i) => { if (s?.id === id) this.slots[i] = undefined; }); }

  // bump empties a ticket's slots and leaves a ghost in the first.
  bump(id, ghost) {
    const i = this.first(id);
    this.leave(id);
    if (i >= 0) this.slots[i] = { ghost };
    return i;
  }

  ghostOf(id) { return this.slots.findIndex(s => s?.ghost?.ticket.id === id); }

  // back returns a ticket to the slot its ghost kept.
  back(id) {
    const i = this.ghostOf(id);
    if (i >= 0) this.slots[i] = { id, part: 0 };
  }

  visible() {
    const start = this.page * this.size;
    return Array.from({ length: this.size }, (_, k) => start + k);
  }
}
