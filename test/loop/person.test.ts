/** A person's part in a run: judging, and being waited for. */
import { describe, expect, it } from 'vitest';
import { experienceKey } from '../../src/core/measure/identity.ts';
import { everything, files, recipe } from '../fakes/doublingWorld.ts';
import { eventsOf, play, task } from '../fakes/scriptedRun.ts';

describe('a person who must judge', () => {
  const text = recipe(`
  - solve: { n: 2 }
  - assess: { source: human, audit: 1 }
  - select: { over: solutions }
  - evaluate: { suite: dev }`);
  const scene = { recipe: text, models: { m: everything }, files };

  it('is waited for, then outranks all, and is not asked again by a resumed or replayed run', async () => {
    const first = await play(scene);
    const waiting = new Set([...first.store.solutions.values()].map(({ key }) => key)).size;
    expect(first.end).toMatchObject({
      kind: 'paused',
      message: expect.stringContaining(`${waiting} of ${waiting}`) as string,
    });
    for (const { id, taskId, output, key } of first.store.solutions.values()) {
      const about = first.store.tasks.get(taskId) ?? task('');
      expect(experienceKey(about, output)).toBe(key);
      first.store.judgements.push({
        key,
        solutionId: id,
        verdict: output.includes('2') ? 'accept' : 'reject',
        score: null,
        note: '',
        time: 1,
        task: about,
        output,
      });
    }
    const second = await play(scene, { store: first.store, resume: first.runId });
    expect(second.end.kind).toBe('done');
    expect(eventsOf(first.store.events, 'refinementsMade')[0]).toMatchObject({ kept: 12 });
    // Judgements made later do not reach what was read.
    first.store.judgements.length = 0;
    const third = await play(scene, { store: first.store, resume: first.runId });
    expect(third.end.kind).toBe('done');
    expect(third.requests).toEqual([]);
    expect(eventsOf(first.store.events, 'refinementsMade')).toHaveLength(1);
  });
});
