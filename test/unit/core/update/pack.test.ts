import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PlacedSolution } from '../../../../src/core/acquire/solve.ts';
import { experienceKey } from '../../../../src/core/measure/identity.ts';
import { asId } from '../../../../src/core/model/ids.ts';
import type { Split, Task } from '../../../../src/core/model/task.ts';
import { packExamples, packPairs, SealedTaskError, type Packable } from '../../../../src/core/update/pack.ts';
import { additionTask } from '../../../fakes/runServices.ts';

const none = { instruction: '', strip: [] };

function packable(task: Task, output: string, kept: boolean, sample = 0): Packable {
  const solution: PlacedSolution = {
    id: asId(`${task.id}-${sample}`),
    taskId: task.id,
    candidateId: asId('c'),
    sample,
    output,
    answer: output,
    temperature: 1,
    finish: 'stop',
    usage: { input: 1, output: 1 },
    at: { arm: 'main', round: 1, step: 'solve' },
    key: experienceKey(task, output),
    failure: output === 'FAILED' ? 'no connection' : null,
  };
  return { task, solution, kept, score: kept ? 1 : 0, negated: false, critique: null };
}

describe('packing examples', () => {
  it('takes what was kept, once each, under the instruction it was given', () => {
    const [a, b] = [additionTask(1, 2), additionTask(3, 4)];
    const packed = packExamples(
      [
        packable(a, '>3', true),
        packable(a, '>3', true, 1),
        packable(a, '1+2>3', true, 2),
        packable(b, '>8', false),
      ],
      { instruction: 'be brief', strip: [] },
      true,
    );
    expect(packed.duplicates).toBe(1);
    expect(packed.items.map(({ completion }) => completion)).toEqual(['>3', '1+2>3']);
    expect(packed.items[0]?.messages.map(({ role }) => role)).toEqual(['system', 'user']);
  });

  it('never takes a failed call', () => {
    expect(packExamples([packable(additionTask(1, 2), 'FAILED', true)], none, true).items).toEqual([]);
  });
});

describe('packing pairs', () => {
  it('sets a kept solution over a dropped one of the same task, and nothing else', () => {
    const [a, b] = [additionTask(1, 2), additionTask(3, 4)];
    const packed = packPairs(
      [packable(a, '>3', true), packable(a, '>4', false, 1), packable(b, '>7', true)],
      none,
    );
    expect(packed.items).toMatchObject([{ chosen: '>3', rejected: '>4' }]);
  });
});

describe('a sealed task', () => {
  it('never reaches an update, kept or not, whatever stands around it', () => {
    const splits = fc.array(fc.constantFrom<Split>('train', 'live', 'dev', 'test'), {
      minLength: 1,
      maxLength: 12,
    });
    fc.assert(
      fc.property(splits, fc.boolean(), (chosen, kept) => {
        const items = chosen.map((split, index) => packable(additionTask(index, 5, split), '>1', kept));
        const sealed = chosen.some((split) => split === 'dev' || split === 'test');
        for (const pack of [() => packExamples(items, none, true), () => packPairs(items, none)]) {
          if (sealed) expect(pack).toThrow(SealedTaskError);
          else expect(pack).not.toThrow();
        }
      }),
    );
  });
});
