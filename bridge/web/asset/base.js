// What every page uses: words, formats, elements, calls of the API.

const root = document.documentElement;
export const lang = root.lang === 'fr' ? 'fr' : 'en';
const catalogue = globalThis.words || {}; // words.en.js or words.fr.js, which the shell loads before

// site is what the shell says of the venue.
export const site = {
  name: document.body.dataset.site,
  timezone: document.body.dataset.timezone || 'UTC',
  dayClose: document.body.dataset.dayClose || '05:30',
  currency: document.body.dataset.currency || 'EUR',
};

// ---- words

function fill(text, args) {
  return args.length ? text.replace(/\{([0-9])\}/g, (place, i) => i < args.length ? String(args[i]) : place) : text;
}

// t gives the sentence of a key; an unknown key shows itself.
export function t(key, ...args) {
  const text = catalogue[key];
  return text === undefined ? key : fill(text, args);
}

// n gives a counting sentence: {0} is the count.
export function n(key, count, ...args) {
  const one = count === 1 || (count === 0 && lang === 'fr');
  return t(key + (one ? '.one' : '.other'), number(count), ...args);
}

// word gives t(prefix + value), and the value itself where the catalogue has no word for it (a later box, a new state).
export function word(prefix, value) {
  if (!value) return '';
  const text = catalogue[prefix + value];
  return text === undefined ? String(value).replaceAll('_', ' ') : text;
}

// ---- formats, in the venue's time zone

// A browser takes 50 ms for its first time zone and a few more for its first number, so both are asked for when needed,
// and hour and minute of about now come from the shell, which says when the venue's clocks are changed.
const locale = lang === 'fr' ? 'fr-FR' : 'en-GB';
const formats = new Map();
function format(name, options) {
  if (!formats.has(name)) {
    try {
      formats.set(name, new Intl.DateTimeFormat(locale, { timeZone: site.timezone, ...options }));
    } catch {
      formats.set(name, new Intl.DateTimeFormat(locale, { timeZone: 'UTC', ...options }));
    }
  }
  return formats.get(name);
}
const offsets = (document.body.dataset.offsets || '').split(' ').filter(Boolean).map(p => p.split(':').map(v => Number(v) * 1000)); // [from, ms ahead of UTC]

export function clock(ms) {
  const i = offsets.findLastIndex(([from]) => from <= ms);
  if (i < 0 || i === offsets.length - 1 && i > 0) return format('clock', { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }).format(ms);
  return new Date(ms + offsets[i][1]).toISOString().slice(11, 16);
}
export const seconds = ms => format('seconds', { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' }).format(ms);
export const day = ms => format('day', { weekday: 'short', day: 'numeric', month: 'short' }).format(ms);

let numbers;
export const number = v => Number.isInteger(v) && v >= 0 && v < 1000 ? String(v) : (numbers ??= new Intl.NumberFormat(locale)).format(v);

export function when(text) { // hour and minute today, with the day otherwise
  const ms = Date.parse(text);
  if (Number.isNaN(ms)) return '';
  return Math.abs(Date.now() - ms) < 18 * 3600e3 ? clock(ms) : `${day(ms)} ${clock(ms)}`;
}

export function businessDay(ms) {
  const [h, m] = site.dayClose.split(':').map(Number);
  return day(ms - ((h || 0) * 60 + (m || 0)) * 60e3);
}

const moneyFormats = new Map();
function moneyFormat(currency) {
  if (!moneyFormats.has(currency)) {
    try {
      moneyFormats.set(currency, new Intl.NumberFormat(locale, { style: 'currency', currency }));
    } catch {
      moneyFormats.set(currency, null);
    }
  }
  return moneyFormats.get(currency);
}
const decimals = currency => moneyFormat(currency)?.resolvedOptions().maximumFractionDigits ?? 2;

export function money(minor, currency = site.currency) {
  if (typeof minor !== 'number') return '';
  const format = moneyFormat(currency), units = minor / 10 ** decimals(currency);
  return format ? format.format(units) : `${units} ${currency}`;
}

// amountText writes minor units for a field, without the currency: 12.50, in French 12,50.
export function amountText(minor, currency = site.currency) {
  const text = (minor / 10 ** decimals(currency)).toFixed(decimals(currency));
  return lang === 'fr' ? text.replace('.', ',') : text;
}

// amountOf reads what a person wrote in such a field into minor units; NaN when it is no amount.
export function amountOf(text, currency = site.currency) {
  const parts = /^(\d{1,12})(?:[.,](\d+))?$/.exec(text.replace(/[\s\u00a0\u202f]/g, ''));
  const digits = decimals(currency), rest = parts?.[2] || '';
  if (!parts || rest.length > digits) return NaN;
  return Number(parts[1] + rest.padEnd(digits, '0'));
}

// instant reads an RFC 3339 time to fractions of a millisecond, which Date.parse cuts off.
export function instant(text) {
  const ms = Date.parse(text);
  if (Number.isNaN(ms)) return NaN;
  const fraction = /\.(\d+)/.exec(text);
  return fraction && fraction[1].length > 3 ? Math.floor(ms / 1000) * 1000 + Number('0.' + fraction[1]) * 1000 : ms;
}

// span writes a length of time given in milliseconds as a person compares it: 0.9 ms, 84 ms, 1.25 s, 4:02.
export function span(ms) {
  const dot = v => lang === 'fr' ? v.replace('.', ',') : v;
  if (ms < 0) return '−' + span(-ms);
  if (ms < 10 && ms % 1) return dot(ms.toFixed(1)) + ' ms';
  if (ms < 1000) return Math.round(ms) + ' ms';
  if (ms < 60e3) return dot((ms / 1000).toFixed(ms < 10e3 ? 2 : 1)) + ' s';
  return age(ms);
}

// age writes minutes and seconds: 4:02, 75:10.
export function age(ms) {
  const s = Math.max(0, Math.floor(ms / 1000));
  return `${Math.floor(s / 60)}:${String(s % 60).padStart(2, '0')}`;
}

// ---- elements

// h makes an element. Text always becomes a text node: what an order says can never become markup.
export function h(tag, attributes, ...children) {
  const e = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith('on')) e.addEventListener(name.slice(2), value);
    else if (name === 'data') Object.assign(e.dataset, value);
    else e.setAttribute(name, value === true ? '' : value);
  }
  e.append(...children.flat(3).filter(c => c !== undefined && c !== null && c !== false && c !== ''));
  return e;
}

const SVG = 'http://www.w3.org/2000/svg';
export function svg(tag, attributes, ...children) {
  const e = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes || {})) if (value !== undefined && value !== null) e.setAttribute(name, value);
  e.append(...children.flat(3).filter(c => c !== undefined && c !== null && c !== false));
  return e;
}

export const icon = name => svg('svg', { class: 'icon', 'aria-hidden': 'true' }, svg('use', { href: '#i-' + name }));
export const $ = id => document.getElementById(id);

// swap replaces what an element holds.
export function swap(parent, ...children) {
  parent.replaceChildren(...children.flat(3).filter(c => c !== undefined && c !== null && c !== false && c !== ''));
}

// write sets text only when it differs: a board that ticks each second changes little.
export function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

// ---- the API

// Fault is a call that did not succeed: status 0 when the box could not be reached.
export class Fault extends Error {
  constructor(status, problem, retryAfter) {
    super(problem?.detail || problem?.title || (status ? t('fault.status', status) : t('fault.unreachable')));
    this.status = status;
    this.problem = problem || {};
    this.retryAfter = retryAfter || 0;
  }
  // transient: the same call may succeed later without anybody changing anything.
  get transient() { return this.status === 0 || this.status === 429 || this.status >= 500; }
}

export async function call(method, path, { body, key, signal, timeout = 10000 } = {}) {
  const headers = { Accept: 'application/json' };
  if (body !== undefined) headers['Content-Type'] = 'application/json';
  if (key) headers['Idempotency-Key'] = key;
  const limit = AbortSignal.timeout(timeout);
  let answer;
  try {
    answer = await fetch(path, {
      method, headers, credentials: 'same-origin', cache: 'no-store',
      body: body === undefined ? undefined : JSON.stringify(body),
      signal: signal ? AbortSignal.any([signal, limit]) : limit,
    });
  } catch (e) {
    if (signal?.aborted) throw e;
    throw new Fault(0);
  }
  const json = /json/.test(answer.headers.get('Content-Type') || '') ? await answer.json().catch(() => null) : null;
  if (!answer.ok) throw new Fault(answer.status, json, Number(answer.headers.get('Retry-After')));
  return { status: answer.status, body: json };
}

export const get = async (path, options) => (await call('GET', path, options)).body;

// newKey makes an Idempotency-Key. crypto.randomUUID needs a secure origin, which a kitchen network does not have.
export function newKey() {
  const b = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(b, v => v.toString(16).padStart(2, '0')).join('');
}
