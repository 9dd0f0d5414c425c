/**
 * Owns questions that a pause asks and Resume answers. That one was asked is noted only after the pause that asks it is
 * durable, and its yes is an effect of the session after that: a process killed between the two asks again, and no run goes on
 * by a yes that nobody gave. A branch of a run whose question was never answered asks its own.
 * Deliberately decides nothing about what is asked.
 */
import { hashOf } from '../measure/hash.ts';
import { asId, type EffectKey } from '../model/ids.ts';
import type { EffectRecord } from '../model/effect.ts';
import { Halted } from './halt.ts';
import type { EffectPlace } from './ledger.ts';
import type { RunContext } from './stepContext.ts';

const PREFIX = 'question/';

/** Resolves once a person has agreed to `text`. Throws Halted with `sentence` where nobody has been asked yet. */
export async function askYes(
  { id, ledger, services }: Pick<RunContext, 'id' | 'ledger' | 'services'>,
  place: EffectPlace,
  text: string,
  sentence: string,
): Promise<void> {
  await ledger.once('annotations', place, `yes to ${text}`, async () => {
    const asked = noteOf(place, text);
    if ((await services.store.findEffects(id, [asked.key])).has(asked.key)) return { agreed: text };
    throw new Halted('paused', sentence, asked);
  });
}

/** Whether this is a question's note: no part of what a run decided, so a replay stops where the run did. */
export function isQuestion({ key }: EffectRecord): boolean {
  return key.startsWith(PREFIX);
}

function noteOf({ step, round, at }: EffectPlace, text: string): EffectRecord {
  const key = asId<EffectKey>(`${PREFIX}${hashOf([step, round, text])}`);
  const usage = { input: null, output: null };
  return { key, kind: 'session', at, result: JSON.stringify({ asked: text }), usage, ms: 0 };
}
