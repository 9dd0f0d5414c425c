/**
 * Finished runs of released behaviour, kept as bundles (test/fixtures/runs): each is run again by this version with no model,
 * no file and no network, and makes the same decisions; one of another behaviour is refused before it mixes the two.
 */
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { readBundle } from '../../../src/adapters/datasets/bundleFile.ts';
import { behaviour } from '../../../src/core/loop/behaviour.ts';
import { replayBundle } from '../../../src/core/loop/bundle.ts';
import { ChangedError } from '../../../src/core/loop/execute.ts';

const folder = fileURLToPath(new URL('../../fixtures/runs', import.meta.url));
const bundles = readdirSync(folder).filter((name) => name.endsWith('.ratchet-bundle'));
const clock = { now: () => 0, monotonic: () => 0 };
/** `VERSION-BEHAVIOUR.ratchet-bundle` */
const behaviourOf = (name: string): number => Number(/-(\d+)\.ratchet-bundle$/u.exec(name)?.[1]);
const read = (name: string) => readBundle(path.join(folder, name));

const ours = bundles.filter((name) => behaviourOf(name) === behaviour);
const others = bundles.filter((name) => behaviourOf(name) !== behaviour);

describe('a finished run that is kept', () => {
  test('there is one of this behaviour (node test/fixtures/runs/make.ts makes it)', () => {
    expect(ours).not.toEqual([]);
  });

  test.each(ours)('%s makes the same decisions again, with no call', async (name) => {
    const bundle = read(name);
    const replayed = await replayBundle(bundle, clock);
    expect(replayed).toMatchObject({ end: { kind: 'done' }, calls: 0, same: true });
    expect(replayed.eventsHash).toBe(bundle.eventsHash);
    const decisions = replayed.events.filter(({ event }) => event.kind === 'candidateAccepted');
    expect(decisions.length).toBeGreaterThan(0);
  });

  test.each(ours)(
    '%s does not pass for another: with one answer changed its decisions are others',
    async (name) => {
      const bundle = read(name);
      const effects = bundle.effects.map((record) =>
        record.kind === 'model' && record.at.step.includes('evaluate')
          ? { ...record, result: record.result.replace(/Answer: \d+/u, 'Answer: 0') }
          : record,
      );
      expect(effects).not.toEqual(bundle.effects);
      expect((await replayBundle({ ...bundle, effects }, clock)).same).toBe(false);
    },
  );

  test.each(others)('%s, of another behaviour, is refused', async (name) => {
    await expect(replayBundle(read(name), clock)).rejects.toThrow(ChangedError);
  });
});
