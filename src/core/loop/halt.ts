/** Owns how a loop stands still before its end. Deliberately not an error a person sees: it carries what the run's end says. */
export class Halted extends Error {
  override readonly name = 'Halted';
  readonly kind: 'paused' | 'stopped' | 'budget';
  constructor(kind: Halted['kind'], message: string) {
    super(message);
    this.kind = kind;
  }
}
