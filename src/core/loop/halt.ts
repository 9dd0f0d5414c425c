/** Owns how a loop stands still before its end. Deliberately not an error a person sees: it carries what the run's end says. */
import type { EffectRecord } from '../model/effect.ts';

export class Halted extends Error {
  override readonly name = 'Halted';
  readonly kind: 'paused' | 'stopped' | 'budget';
  /** To be made durable once the run's end is: what the message asks. */
  readonly asked: EffectRecord | null;
  constructor(kind: Halted['kind'], message: string, asked: EffectRecord | null = null) {
    super(message);
    this.kind = kind;
    this.asked = asked;
  }
}
