/** What a better candidate must not break: canary tasks and a regression set, in whole runs and as pure decisions. */
import { describe, expect, it } from 'vitest';
import { parseRecipe } from '../../src/core/loop/parseRecipe.ts';
import type { ModelRequest } from '../../src/core/ports.ts';
import { askedFor, asks, doubled, doubling, files, recipe } from '../fakes/doublingWorld.ts';
import { eventsOf, expectSameAtAnyPace, prompt, type Played } from '../fakes/scriptedRun.ts';

const RULE = 'Multiply the number by two exactly.';
const steps = `
  - solve: {}
  - assess: {}
  - distill: { form: rule, unit: batch }
  - update: { slot: memory }
  - evaluate: { suite: dev }`;

/** The suites `name` = double 400, 401, ... beside the usual data. */
const guarded = (name: 'canary' | 'regression', more = '') =>
  recipe(`${steps}\n${more}`).replace('  test:', `  ${name}: { file: ${name}.jsonl }\n  test:`);
const world = (name: 'canary' | 'regression', count: number) => ({
  ...files,
  [`${name}.jsonl`]: doubling(400, count),
});

/** Knows the guards' tasks from the start; with the rule all others too, and `forgets` so many of the guards' tasks. */
const model = (forgets: number) => (request: ModelRequest) => {
  if (asks(request, 'text')) return JSON.stringify({ text: RULE });
  const asked = askedFor(request) ?? 0;
  const learned = prompt(request).includes(RULE);
  return doubled(request, asked >= 400 ? !learned || asked >= 400 + forgets : learned);
};

const verdicts = ({ told }: Played) => [
  ...eventsOf(told, 'candidateAccepted').map(({ reason }) => ['accepted', reason] as const),
  ...eventsOf(told, 'candidateRefused').map(({ reason }) => ['refused', reason] as const),
];
const scoredOn = ({ told }: Played, name: string) =>
  eventsOf(told, 'evaluationMade')
    .filter(({ suite }) => suite === name)
    .map(({ mean }) => mean);

describe('canary tasks', () => {
  const run = (forgets: number, more?: string) =>
    expectSameAtAnyPace({
      recipe: guarded('canary', more),
      models: { m: model(forgets) },
      files: world('canary', 4),
    });

  it('refuse a candidate that is better and fails one that passed', async () => {
    const played = await run(1);
    expect(verdicts(played)).toEqual([
      ['refused', expect.stringMatching(/^better: .*; 1 of 4 canary tasks that passed now fail$/)],
    ]);
    expect(scoredOn(played, 'canary')).toEqual([0.75, 1]);
    expect(eventsOf(played.told, 'testScored')[0]).toMatchObject({ start: 0, final: 0 });
    expect(eventsOf(played.told, 'tasksAcquired').find(({ split }) => split === 'canary')?.count).toBe(4);
  });

  it('let one pass that keeps them', async () => {
    const played = await run(0);
    expect(verdicts(played)).toEqual([
      ['accepted', expect.stringMatching(/; all 4 canary tasks that passed still do$/)],
    ]);
  });

  it('are not paid for twice where a step has scored them already', async () => {
    const once = await run(0);
    const stepped = await run(
      0,
      '  - evaluate: { suite: canary }\n  - select: { over: candidates, policy: gate }',
    );
    expect(verdicts(stepped)[0]?.[0]).toBe('accepted');
    expect(stepped.requests).toHaveLength(once.requests.length);
  });

  it('are sealed: a train task that is one is left out', async () => {
    const played = await expectSameAtAnyPace(
      {
        recipe: guarded('canary'),
        models: { m: model(0) },
        files: {
          ...world('canary', 4),
          'train.jsonl': [...files['train.jsonl'], ...doubling(400, 1)],
        },
      },
      1,
    );
    const solved = [...played.store.solutions.values()].map(({ answer }) => answer);
    expect(solved).toHaveLength(6);
    expect(eventsOf(played.told, 'warningRaised')[0]?.message).toContain('also in a sealed suite');
  });
});

describe('a regression set', () => {
  const run = (maxLoss: string) =>
    expectSameAtAnyPace(
      {
        recipe: guarded(
          'regression',
          `  - select: { over: candidates, policy: gate, confidence: 0.95${maxLoss} }`,
        ),
        models: { m: model(1) },
        files: world('regression', 10),
      },
      1,
    );

  it('refuses a loss beyond the bound, and shows both scores', async () => {
    const played = await run('');
    expect(verdicts(played)).toEqual([
      ['refused', expect.stringContaining('; -10.0 points on 10 regression tasks, where 2.0 may be lost')],
    ]);
    expect(scoredOn(played, 'regression')).toEqual([0.9, 1]);
  });

  it('lets a loss within the bound pass', async () => {
    const played = await run(', maxLoss: 0.1');
    expect(verdicts(played)).toEqual([['accepted', expect.stringContaining('; -10.0 points on 10')]]);
  });
});

describe('a recipe', () => {
  it('that evaluates a suite it has no tasks for is refused, with the line', () => {
    const { problems } = parseRecipe(recipe('  - evaluate: { suite: canary }\n  - evaluate: { suite: dev }'));
    expect(problems).toEqual([
      expect.objectContaining({
        message: 'There are no canary tasks; add data.canary.',
        line: 13,
      }) as unknown,
    ]);
  });
});
