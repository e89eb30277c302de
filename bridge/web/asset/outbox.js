// outbox.js sends what hands did, once: each act is kept in localStorage with its Idempotency-Key before it leaves and
// until the box answered it, so that neither a cut line nor a reload loses it or sends it as two.

import { call, newKey } from './base.js';

const PAUSE = 3e3; // ms before trying again
const TRIES = 5; // of an act that the box itself fails on, so that one broken act does not hold up the others
const OLDEST = 12 * 3600e3; // an act older than a service is not sent any more

export class Outbox {
  // answered(act, ticket) and refused(act, fault) are called when the box decided; changed() whenever the list changes.
  // Acts go to base + id + '/' + verb.
  constructor(name, { answered, refused, changed }, base = '/v1/tickets/') {
    this.base = base;
    this.store = 'aboyeur.outbox.' + name;
    this.on = { answered, refused, changed };
    this.acts = this.load();
    this.sending = null;
  }

  load() {
    try {
      return JSON.parse(localStorage.getItem(this.store) || '[]').filter(a => a.key && a.id && Date.now() - a.at < OLDEST);
    } catch {
      return [];
    }
  }

  save() {
    try {
      if (this.acts.length) localStorage.setItem(this.store, JSON.stringify(this.acts));
      else localStorage.removeItem(this.store);
    } catch { /* storage full or forbidden: the act still goes out now */ }
    this.on.changed();
  }

  // add keeps an act and sends it.
  add(id, verb, ticket) {
    this.acts.push({ key: newKey(), id, verb, at: Date.now(), ticket });
    this.save();
    this.flush();
  }

  // of gives the last act on a ticket that the box has not answered.
  of(id) { return this.acts.findLast(a => a.id === id); }

  // drop takes back an act that has not left yet.
  drop(id, verb) { return this.dropLike(id, verb, true); }

  // dropLike takes back an act whose verb begins so.
  dropLike(id, verb, whole) {
    const i = this.acts.findLastIndex(a => a.id === id && (whole ? a.verb === verb : a.verb.startsWith(verb)) && a !== this.sending);
    if (i < 0) return false;
    this.acts.splice(i, 1);
    this.save();
    return true;
  }

  async flush() {
    if (this.sending) return;
    clearTimeout(this.timer);
    while (this.acts.length) {
      const act = this.sending = this.acts[0];
      let done;
      try {
        const answer = await call('POST', `${this.base}${encodeURIComponent(act.id)}/${act.verb}`, { key: act.key });
        done = () => this.on.answered(act, answer.body);
      } catch (fault) {
        act.tries = (act.tries || 0) + (fault.status === 500 ? 1 : 0);
        if (fault.transient && act.tries < TRIES) {
          this.sending = null;
          act.failed = true;
          this.on.changed();
          this.timer = setTimeout(() => this.flush(), Math.max(PAUSE, fault.retryAfter * 1000 || 0));
          return;
        }
        done = () => this.on.refused(act, fault);
      }
      this.sending = null;
      this.acts = this.acts.filter(a => a !== act);
      this.save();
      done();
    }
  }
}
