// sound.js: a short figure of tones for each thing that may happen, told apart without looking. Made by WebAudio, so no
// file has to load; silent until the browser lets it.

const FIGURES = { // [Hz, start s, length s]
  new: [[784, 0, 0.12], [1047, 0.13, 0.22]],
  changed: [[880, 0, 0.1], [880, 0.15, 0.1], [698, 0.3, 0.2]],
  cancelled: [[440, 0, 0.18], [330, 0.2, 0.3]],
  late: [[1175, 0, 0.08], [1175, 0.14, 0.08], [1175, 0.28, 0.08]],
};
const VOLUME = 0.25;

export class Sound {
  // blocked(true|false) is called when the browser forbids or allows sound.
  constructor(blocked) {
    this.blocked = blocked;
    try {
      this.context = new AudioContext();
      this.context.onstatechange = () => this.tell();
    } catch { /* no sound device */ }
    for (const type of ['pointerdown', 'keydown']) addEventListener(type, () => this.wake(), { passive: true });
    this.tell();
  }

  tell() { if (this.context) this.blocked(this.context.state === 'suspended'); }

  wake() { if (this.context?.state === 'suspended') this.context.resume().catch(() => {}); }

  play(name) {
    const c = this.context;
    if (!c || c.state !== 'running') return;
    for (const [frequency, start, length] of FIGURES[name] || []) {
      const tone = c.createOscillator(), volume = c.createGain();
      const at = c.currentTime + start;
      tone.frequency.value = frequency;
      tone.type = 'triangle';
      volume.gain.setValueAtTime(0, at);
      volume.gain.linearRampToValueAtTime(VOLUME, at + 0.01);
      volume.gain.setTargetAtTime(0, at + length * 0.6, length * 0.2);
      tone.connect(volume).connect(c.destination);
      tone.start(at);
      tone.stop(at + length + 0.2);
    }
  }
}
