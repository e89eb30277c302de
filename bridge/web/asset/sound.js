// sound.js: a short figure of tones for each thing that may happen, told apart without looking. Made by WebAudio, so no
// file has to load; silent until the browser lets it. How loud is kept for this browser.

const FIGURES = { // [Hz, start s, length s]
  new: [[784, 0, 0.12], [1047, 0.13, 0.22]],
  changed: [[880, 0, 0.1], [880, 0.15, 0.1], [698, 0.3, 0.2]],
  cancelled: [[440, 0, 0.18], [330, 0.2, 0.3]],
  ready: [[659, 0, 0.1], [784, 0.11, 0.1], [1047, 0.22, 0.25]],
  late: [[1175, 0, 0.08], [1175, 0.14, 0.08], [1175, 0.28, 0.08]],
};
export const SOUNDS = Object.keys(FIGURES);

const STORE = 'aboyeur.volume';
const LOUDEST = 0.6; // gain at volume 10; the bus behind it keeps two figures at once from clipping
const GAP = 0.15; // s between two figures that come together

export class Sound {
  // blocked(true|false) is called when the browser forbids or allows sound.
  constructor(blocked) {
    this.blocked = blocked;
    this.free = 0; // context time at which the last figure ends
    let kept = NaN;
    try { kept = parseInt(localStorage.getItem(STORE), 10); } catch { /* storage forbidden: the default */ }
    this.volume = kept >= 0 && kept <= 10 ? kept : 5;
    try {
      this.context = new AudioContext();
      this.context.onstatechange = () => this.tell();
      this.bus = this.context.createDynamicsCompressor();
      this.bus.connect(this.context.destination);
    } catch { /* no sound device */ }
    for (const type of ['pointerdown', 'keydown']) addEventListener(type, () => this.wake(), { passive: true });
    this.tell();
  }

  tell() { if (this.context) this.blocked(this.context.state === 'suspended' && this.volume > 0); }

  wake() { if (this.context?.state === 'suspended') this.context.resume().catch(() => {}); }

  // setVolume takes 0, silent, to 10.
  setVolume(volume) {
    this.volume = Math.max(0, Math.min(10, Math.round(volume)));
    try { localStorage.setItem(STORE, this.volume); } catch { /* holds until the page goes */ }
    this.tell();
  }

  // play sounds a figure after those that sound already. At most two seconds of them wait: what comes
  // in a rush rings as one.
  play(name) {
    const c = this.context;
    if (!c || c.state !== 'running' || !this.volume) return;
    const begin = Math.max(c.currentTime, this.free);
    if (begin - c.currentTime > 2) return;
    let end = begin;
    for (const [frequency, start, length] of FIGURES[name] || []) {
      const tone = c.createOscillator(), volume = c.createGain();
      const at = begin + start;
      tone.frequency.value = frequency;
      tone.type = 'triangle';
      volume.gain.setValueAtTime(0, at);
      volume.gain.linearRampToValueAtTime(LOUDEST * (this.volume / 10) ** 2, at + 0.01);
      volume.gain.setTargetAtTime(0, at + length * 0.6, length * 0.2);
      tone.connect(volume).connect(this.bus);
      tone.start(at);
      tone.stop(at + length + 0.2);
      end = Math.max(end, at + length);
    }
    this.free = end + GAP;
    dispatchEvent(new CustomEvent('sound', { detail: name }));
  }
}
