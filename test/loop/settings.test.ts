/** Settings of operators that no recipe and no other test says, each in a small whole run that shows what it does. */
import { describe, expect, it } from 'vitest';
import type { ModelRequest } from '../../src/core/ports.ts';
import { asks, doubled, doubling, files, recipe } from '../fakes/doublingWorld.ts';
import { eventsOf, expectSameAtAnyPace, play, prompt, task, type Played } from '../fakes/scriptedRun.ts';

const RULE = 'Multiply the number by two exactly.';
const knows = (request: ModelRequest) => prompt(request).includes(RULE);
const model = (request: ModelRequest) => {
  if (asks(request, 'input')) return JSON.stringify({ input: 'double 400', reference: '800' });
  if (asks(request, 'score')) return '{"score": 10, "reason": "so", "critique": "Say it shorter."}';
  if (asks(request, 'text')) return JSON.stringify({ text: RULE });
  return doubled(request, knows(request));
};
const run = (steps: string, rounds = 1, answer = model) =>
  expectSameAtAnyPace(
    {
      recipe: recipe(`${steps}\n  - evaluate: { suite: dev }`, { rounds }),
      models: { m: answer },
      files,
    },
    1,
  );
const solved = '\n  - solve: {}\n  - assess: {}';
const madeStates = ({ told, store }: Played) =>
  eventsOf(told, 'candidateMade').map(({ candidateId }) => store.candidates.get(candidateId)?.state);

describe('propose from parents', () => {
  it.each([
    ['constrain', 'one more condition'],
    ['deepen', 'go deeper'],
    ['concretize', 'concrete ones'],
    ['addSteps', 'more steps of reasoning'],
    ['breadth', 'that is rarer'],
    ['rephrase', 'in other words; the answer must stay the same'],
    ['invert', 'one of the given quantities unknown'],
  ])('by %s asks for just that', async (mode, words) => {
    const played = await run(`\n  - propose: { source: parent, n: 1, modes: [${mode}] }`);
    const asked = played.requests.filter((request) => asks(request, 'input')).map(prompt);
    expect(asked).toHaveLength(6);
    for (const text of asked) expect(text).toContain(words);
  });
});

describe('assess by a metric of its own', () => {
  it.each([
    ['numeric', '1,000', '1e3'],
    ['contains', 'blue', 'it is blue'],
    ['choice', 'B', '(B)'],
    ['regex', '[0-9]{4}-[0-9]{2}', '2024-05'],
    ['jsonSchema', '{"type": "object", "required": ["a"]}', '{"a": 1}'],
    ['format', '[{"kind": "punctuation:no_comma"}]', 'no comma here'],
    ['rougeL', 'red and blue', 'Red and blue!'],
    ['edit', 'blue', 'blue'],
    ['math', '1/2', '2/4'],
    ['arithmetic', '24', '(4 + 8) * (6 - 4)'],
    ['judge', 'anything', 'else'],
  ])('%s judges, whatever the objective goes by', async (metric, reference, answer) => {
    const tasks = (name: string) => [task(`${name}: 4 4 6 8, (A) red (B) blue`, reference)];
    const played = await play({
      recipe: recipe(`\n  - solve: {}\n  - assess: { metric: ${metric} }\n  - evaluate: { suite: dev }`),
      models: { m: (request) => (asks(request, 'score') ? '{"score": 10}' : `Answer: ${answer}`) },
      files: { 'train.jsonl': tasks('one'), 'dev.jsonl': tasks('two'), 'test.jsonl': tasks('three') },
    });
    expect(eventsOf(played.told, 'feedbackGiven')[0]).toMatchObject({ count: 1, passed: 1 });
  });
});

describe('select, distill and pack', () => {
  it('the top tasks by what was scored', async () => {
    const played = await run(`${solved}\n  - select: { over: tasks, policy: top, k: 2 }`);
    expect(eventsOf(played.told, 'tasksSelected')[0]).toMatchObject({ kept: 2, dropped: 4 });
  });

  it('distill from each solution by itself', async () => {
    const played = await run(
      '\n  - solve: { n: 2 }\n  - assess: {}\n  - distill: { form: rule, unit: item }\n  - update: { slot: memory }',
    );
    expect(played.requests.filter((request) => asks(request, 'text'))).toHaveLength(12);
  });

  it.each([
    ['reward', /"score":[01]/],
    ['critique', /Say it shorter\./],
  ])('pack as %s, exported for training elsewhere', async (form, words) => {
    const played = await run(`${solved}
  - assess: { source: judge, critique: true }
  - select: { over: solutions, keep: ">= 0" }
  - pack: { form: ${form} }
  - update: { slot: weights, op: export, file: out.jsonl }`);
    expect(played.exported.get('out-round-1.jsonl')).toMatch(words);
  });

  it('pairs of the reference and the model’s own wrong answer', async () => {
    const played = await run(`${solved}
  - select: { over: solutions }
  - pack: { form: pairs, pairs: goldOwn }
  - update: { slot: weights }`);
    const [job] = played.jobs;
    const pairs = job?.data.form === 'pairs' ? job.data.pairs : [];
    expect(pairs.map(({ rejected }) => rejected)).toEqual(
      doubling(100, 6).map(({ reference }) => `I think.\nAnswer: ${Number(reference) + 1}`),
    );
    for (const [index, { chosen }] of pairs.entries()) expect(chosen).toContain(String(200 + 2 * index));
  });
});

describe('update', () => {
  const kept = `${solved}\n  - select: { over: solutions, keep: ">= 0" }`;
  const makes: readonly (readonly [slot: string, before: string])[] = [
    ['memory', '\n  - distill: { form: rule, unit: batch }\n  - update: { slot: memory }'],
    ['scratch', '\n  - distill: { form: reflection, unit: batch }\n  - update: { slot: scratch }'],
    ['demonstrations', '\n  - update: { slot: demonstrations, pick: random }'],
    ['weights', '\n  - pack: {}\n  - update: { slot: weights }'],
    [
      'workflow',
      '\n  - distill: { form: workflow, unit: batch }\n  - revise: { over: workflow }\n  - update: { slot: workflow }',
    ],
  ];
  it.each(makes)('{ slot: %s, op: reset } takes back what the round made of it', async (slot, before) => {
    const played = await run(`${kept}${before}\n  - update: { slot: ${slot}, op: reset }`);
    const [made, reset] = madeStates(played);
    expect(made?.[slot as 'memory']).toBeTruthy();
    expect(reset?.[slot as 'memory'] ?? null).toBeNull();
    expect(eventsOf(played.told, 'candidateAccepted')).toEqual([]);
  });

  it('demonstrations at random are of kept tasks, the same each time', async () => {
    const played = await run(`${kept}\n  - update: { slot: demonstrations, k: 2, pick: random }`);
    const [state] = madeStates(played);
    expect(state?.demonstrations).toHaveLength(2);
  });

  it('memory by merge joins what says nearly the same', async () => {
    const alike = (request: ModelRequest) =>
      asks(request, 'text')
        ? JSON.stringify({ text: request.seed % 2 === 0 ? RULE : 'Multiply every number by two exactly.' })
        : model(request);
    const steps = (op: string) =>
      `${solved}\n  - distill: { form: rule, unit: task }\n  - update: { slot: memory, op: ${op}, maxOverlap: 0.6 }`;
    const [merged] = madeStates(await run(steps('merge'), 1, alike));
    expect(merged?.memory).toHaveLength(1);
    expect(merged?.memory?.[0]?.from.length).toBeGreaterThan(1);
  });

  it('memory by decay drops what was not used for long', async () => {
    const played = await run(
      `${solved}
  - distill: { form: rule, unit: batch, size: 9, from: failures }
  - update: { slot: memory }
  - update: { slot: memory, op: decay, halfLife: 0.5, minWorth: 0.5 }`,
      2,
    );
    expect(eventsOf(played.told, 'candidateMade').map(({ at, note }) => [at.round, note])).toEqual([
      [1, 'memory of 1 items: 1 new, 0 gone'],
      [2, 'memory of 0 items: 0 new, 1 gone'],
    ]);
    // It did help, so its loss is refused.
    expect(eventsOf(played.told, 'candidateAccepted')).toHaveLength(1);
  });

  it('a judge that was set judges from the round after it was accepted', async () => {
    const played = await run(
      `${solved}
  - assess: { source: judge, rubric: Be kind. }
  - distill: { form: rule, unit: batch }
  - update: { slot: memory }
  - update: { slot: judge, op: set, rubric: Be strict. }`,
      2,
    );
    const rubrics = played.requests
      .filter((request) => asks(request, 'score'))
      .map((request) => /by this rubric:\n(Be \w+)/.exec(prompt(request))?.[1]);
    expect([rubrics[0], rubrics.at(-1)]).toEqual(['Be kind', 'Be strict']);
  });
});

describe('a workflow', () => {
  it.each([
    ['restate', 'in the plainest words'],
    ['critiqueFree', 'make it better'],
  ])('is revised by %s', async (mode, words) => {
    const played = await run(
      `${solved}\n  - distill: { form: workflow, unit: batch, size: 9 }\n  - revise: { over: workflow, mode: ${mode} }\n  - update: { slot: workflow }`,
    );
    expect(played.requests.map(prompt).some((text) => text.includes(words))).toBe(true);
  });
});

describe('evaluate', () => {
  it('a regression set as a step of its own', async () => {
    const text = recipe(
      `${solved}
  - distill: { form: rule, unit: batch }
  - update: { slot: memory }
  - evaluate: { suite: regression }
  - evaluate: { suite: dev }`,
    ).replace('  test:', '  regression: { file: kept.jsonl }\n  test:');
    const played = await expectSameAtAnyPace(
      { recipe: text, models: { m: model }, files: { ...files, 'kept.jsonl': doubling(500, 3) } },
      1,
    );
    const scored = eventsOf(played.told, 'evaluationMade').filter(({ suite }) => suite === 'regression');
    expect(scored.map(({ mean }) => mean)).toEqual([1, 0]);
    expect(eventsOf(played.told, 'candidateAccepted')[0]?.reason).toContain('+100.0 points on 3 regression');
  });
});
