/** Metrics beyond equal texts in whole runs: graders by name, a judge as metric, mathematics a grader cannot tell; health of rounds. */
import { describe, expect, it } from 'vitest';
import { parseRecipe } from '../../src/core/loop/parseRecipe.ts';
import type { ModelRequest } from '../../src/core/ports.ts';
import { asks, doubled, doubling, files, recipe } from '../fakes/doublingWorld.ts';
import { eventsOf, expectSameAtAnyPace, play, prompt, task, type Played } from '../fakes/scriptedRun.ts';

const RULE = 'Multiply the number by two exactly.';
const learn = `
  - solve: {}
  - assess: {}
  - distill: { form: rule, unit: batch }
  - update: { slot: memory }
  - evaluate: { suite: dev }`;

const means = ({ told }: Played) => eventsOf(told, 'evaluationMade').map(({ mean }) => mean);
const withMetric = (metric: string, steps = learn, more = '') =>
  recipe(steps, { more }).replace('metric: exact', `metric: ${metric}`);

describe('a grader as metric', () => {
  const cases: readonly (readonly [metric: string, reference: string, right: string, wrong: string])[] = [
    ['exact', 'blue', 'Answer: blue', 'Answer: red'],
    ['numeric', '1,000', 'Answer: 1e3', 'Answer: 999'],
    ['contains', 'blue', 'Answer: it is blue', 'Answer: it is red'],
    ['choice', 'B', 'Answer: (B)', 'Answer: (A)'],
    ['regex', '[0-9]{4}-[0-9]{2}', 'Answer: 2024-05', 'Answer: May 2024'],
    ['jsonSchema', '{"type": "object", "required": ["a"]}', 'Answer: {"a": 1}', 'Answer: {"b": 1}'],
    ['numeric', '50 %', 'Answer: 1/2', 'Answer: 1/5'],
    ['numeric', '1 1/2', 'Answer: 1.5', 'Answer: 1'],
    ['numeric', '$1,000', 'Answer: 1000 dollars', 'Answer: 100 dollars'],
    ['numeric', '3 km', 'Answer: 3.0 km', 'Answer: 30 km'],
    ['format', '[{"kind": "punctuation:no_comma"}]', 'Answer: red and blue', 'Answer: red, blue'],
    ['rougeL', 'red and blue', 'Answer: red and blue', 'Answer: green'],
    ['edit', 'blue', 'Answer: blue', 'Answer: xxxx'],
    ['arithmetic', '24', 'Answer: (4 + 8) * (6 - 4)', 'Answer: 4 + 4 + 6 + 8'],
    ['math', '1/2', 'Answer: 2/4', 'Answer: 1/3'],
  ];
  it.each(cases)('%s tells right from wrong: %s', async (metric, reference, right, wrong) => {
    const question = metric === 'arithmetic' ? '4 4 6 8' : 'which? (A) red (B) blue';
    const tasks = (name: string) => [task(`${name}: ${question}`, reference)];
    for (const [reply, score] of [
      [right, 1],
      [wrong, 0],
    ] as const) {
      const played = await play({
        recipe: withMetric(metric, '\n  - solve: {}\n  - assess: {}\n  - evaluate: { suite: dev }'),
        models: { m: () => reply },
        files: { 'train.jsonl': tasks('one'), 'dev.jsonl': tasks('two'), 'test.jsonl': tasks('three') },
      });
      expect(played.end).toMatchObject({ kind: 'done' });
      expect(means(played)).toEqual([score, score, score]);
      expect(eventsOf(played.told, 'feedbackGiven')[0]).toMatchObject({ passed: score });
    }
  });

  it('rougeL gives a share', async () => {
    const tasks = (name: string) => [task(name, 'a b c d')];
    const played = await play({
      recipe: withMetric('rougeL', '\n  - evaluate: { suite: dev }'),
      models: { m: () => 'a b' },
      files: { 'train.jsonl': tasks('one'), 'dev.jsonl': tasks('two'), 'test.jsonl': tasks('three') },
    });
    expect(means(played)[0]).toBeCloseTo(2 / 3, 9);
  });
});

describe('an evaluation by pass@k', () => {
  const run = (evaluate: string) =>
    expectSameAtAnyPace(
      {
        recipe: recipe(`\n  - evaluate: { suite: dev, temperature: 1, repeats: 4${evaluate} }`),
        models: { m: (request) => doubled(request, request.seed % 4 === 0) },
        files,
      },
      1,
    );

  it('scores how likely one of k draws is right, in the sealed test too', async () => {
    const plain = await run('');
    const atTwo = await run(', passAt: 2');
    const atFour = await run(', passAt: 4');
    const share = (played: Played) => eventsOf(played.told, 'testScored')[0]?.final ?? 0;
    const rights = eventsOf(plain.told, 'evaluationMade')[0]?.mean ?? 0;
    expect(rights).toBeGreaterThan(0);
    expect(means(atTwo)[0]).toBeGreaterThan(rights);
    expect(means(atFour)[0]).toBeGreaterThan(means(atTwo)[0] ?? 1);
    expect(share(atFour)).toBeGreaterThanOrEqual(share(atTwo));
    // At k of k it is the share of tasks with any right answer.
    const scores = [...atFour.store.evaluations.values()].flatMap((evaluation) =>
      evaluation.scores.map(({ score }) => score),
    );
    expect(new Set(scores)).toEqual(new Set([0, 1]));
  });

  it('needs as many repeats', () => {
    const { problems } = parseRecipe(recipe('\n  - evaluate: { suite: dev, passAt: 2 }'));
    expect(problems.map(({ message }) => message)).toEqual([
      'It takes 2 repeats or more to see; set repeats.',
    ]);
  });
});

describe('assess by a judge', () => {
  /** The even ones are right; a strict judge of a panel is never content, a rubric may ask for something else. */
  const judge = (by: string) => (request: ModelRequest) => {
    const asked = prompt(request);
    const right = (text: string) => Number(/Answer: (\d+)/.exec(text)?.[1]) % 2 === 0;
    if (asks(request, 'better')) {
      const [a = '', b = ''] = [...asked.matchAll(/<<<ANSWER [AB]\n([^]*?)\nANSWER/g)].map(
        ([, text]) => text ?? '',
      );
      return JSON.stringify({ better: right(a) === right(b) ? 'tie' : right(a) ? 'A' : 'B' });
    }
    const content = by !== 'strict' && !asked.includes('Is it a poem?') && right(asked);
    return JSON.stringify({ score: content ? 10 : 0, reason: 'so' });
  };
  const rows: readonly (readonly [form: string, assess: string, keep: string, kept: number])[] = [
    ['a point', 'source: judge', '>= 1', 6],
    ['a point and a critique', 'source: judge, critique: true, votes: 3', '>= 1', 6],
    ['a rubric of several lines', 'source: judge, rubric: ["Is it right?", "Is it a poem?"]', '>= 1', 0],
    ['one line of a rubric', 'source: judge, pickOne: true, rubric: ["Is it right?"]', '>= 1', 6],
    ['a panel that disagrees', 'source: judge, panel: [kind, strict]', '>= 1', 0],
    ['a panel, half of it', 'source: judge, panel: [kind, strict]', '>= 0.5', 6],
    ['pairs', 'source: pairs', '> 0.5', 6],
    ['pairs by a panel', 'source: pairs, panel: [kind]', '> 0.5', 6],
  ];
  it.each(rows)('by %s', async (_, assess, keep, kept) => {
    const played = await expectSameAtAnyPace(
      {
        recipe: recipe(
          `
  - solve: { n: 1 }
  - solve: { n: 1, style: cot, into: add }
    as: second
  - assess: { ${assess} }
  - select: { over: solutions, keep: "${keep}" }
  - evaluate: { suite: dev }`,
          { more: 'judge: kind' },
        ),
        models: {
          m: (request) => doubled(request, prompt(request).includes('step by step')),
          kind: judge('kind'),
          strict: judge('strict'),
        },
        files,
      },
      1,
    );
    expect(eventsOf(played.told, 'refinementsMade')[0]).toMatchObject({ kept, dropped: 12 - kept });
  });
});

describe('a judge as metric', () => {
  const model = (request: ModelRequest) =>
    asks(request, 'text') ? JSON.stringify({ text: RULE }) : doubled(request, prompt(request).includes(RULE));
  const judge = (request: ModelRequest) => {
    const [, reference, answer] = /REFERENCE\n(\d+)[^]*Answer: (\d+)/.exec(prompt(request)) ?? [];
    return JSON.stringify({ score: reference === answer ? 10 : 0 });
  };

  it('scores suites and attempts, and the gate keeps what it finds better', async () => {
    const played = await expectSameAtAnyPace({
      recipe: withMetric('judge', learn, 'judge: j'),
      models: { m: model, j: judge },
      files,
    });
    expect(eventsOf(played.told, 'testScored')[0]).toMatchObject({ start: 0, final: 1 });
    expect(eventsOf(played.told, 'feedbackGiven')[0]).toMatchObject({ source: 'judge', count: 6, passed: 0 });
  });

  it('an unreadable judgement is no score at all', async () => {
    const played = await play({
      recipe: withMetric('judge', learn, 'judge: j'),
      models: { m: model, j: () => 'Perfect! 10/10' },
      files,
    });
    expect(means(played).every((mean) => mean === 0)).toBe(true);
    expect(eventsOf(played.told, 'candidateAccepted')).toEqual([]);
  });

  it('is frozen: the same judge scores what was trained and what was not (law 5)', async () => {
    const steps = `
  - solve: {}
  - assess: { metric: exact }
  - select: { over: solutions, keep: ">= 0" }
  - pack: {}
  - update: { slot: weights }
  - evaluate: { suite: dev }`;
    const played = await play({
      recipe: withMetric('judge', steps),
      models: {
        m: (request) =>
          asks(request, 'score') ? judge(request) : doubled(request, request.weights !== null),
      },
      files,
    });
    const judged = played.requests.filter((request) => asks(request, 'score'));
    expect(judged.length).toBeGreaterThan(24);
    for (const { weights } of judged) expect(weights).toBeNull();
    expect(eventsOf(played.told, 'candidateAccepted')).toHaveLength(1);
  });
});

describe('mathematics a grader cannot tell', () => {
  it('goes to the judge, and nothing else does', async () => {
    const tasks = (name: string) => [
      task(`${name} easy`, '1/2'),
      task(`${name} hard`, 'f(x) where f is odd'),
    ];
    const played = await play({
      recipe: withMetric(
        'math',
        '\n  - solve: {}\n  - assess: {}\n  - select: { over: solutions }\n  - evaluate: { suite: dev }',
      ),
      models: {
        m: (request) =>
          asks(request, 'score')
            ? JSON.stringify({ score: prompt(request).includes('an odd function') ? 10 : 0 })
            : prompt(request).includes('easy')
              ? 'Answer: 0.5'
              : 'Answer: an odd function of x',
      },
      files: { 'train.jsonl': tasks('one'), 'dev.jsonl': tasks('two'), 'test.jsonl': tasks('three') },
    });
    expect(played.end).toMatchObject({ kind: 'done' });
    const judged = played.requests.filter((request) => asks(request, 'score'));
    expect(judged.length).toBeGreaterThan(0);
    for (const request of judged) expect(prompt(request)).toContain('hard');
    expect(means(played)).toEqual([1, 1, 1]);
    expect(eventsOf(played.told, 'refinementsMade')[0]).toMatchObject({ kept: 2 });
  });
});

describe('the health of a round', () => {
  const steps = (assess: string) => `
  - solve: { n: 4 }
${assess}
  - select: { over: solutions }
  - evaluate: { suite: dev }`;
  const run = (answer: (request: ModelRequest) => string, assess = '  - assess: {}', rounds = 2) =>
    expectSameAtAnyPace({ recipe: recipe(steps(assess), { rounds }), models: { m: answer }, files });

  it('counts tasks with signal, pass@k beside pass@1, and how answers differ', async () => {
    const played = await run((request) => doubled(request, request.seed % 2 === 0));
    const [first, second] = eventsOf(played.told, 'healthMeasured');
    const solutions = [...played.store.solutions.values()].filter(({ at }) => at.round === 1);
    const groups = [...Map.groupBy(solutions, ({ taskId }) => taskId).values()].map(
      (group) => group.filter(({ answer }) => Number(answer) % 2 === 0).length,
    );
    expect(first?.health.signalShare).toBeCloseTo(
      groups.filter((right) => right > 0 && right < 4).length / 6,
      9,
    );
    expect(first?.health.passAt1).toBeCloseTo(groups.reduce((sum, right) => sum + right / 4, 0) / 6, 9);
    expect(first?.health).toMatchObject({ k: 4, passAtK: groups.filter((right) => right > 0).length / 6 });
    expect(first?.health.answerEntropy).toBeGreaterThan(0);
    expect(second?.at.round).toBe(2);
  });

  it('warns once, naming the published failure, where nothing is left to learn', async () => {
    const played = await run((request) => doubled(request, true));
    const warnings = eventsOf(played.told, 'warningRaised');
    expect(warnings.map(({ at }) => at.round)).toEqual([1]);
    expect(warnings[0]?.seenBefore).toContain('R-Zero');
    expect(eventsOf(played.told, 'healthMeasured')[0]?.health).toMatchObject({ signalShare: 0, passAt1: 1 });
  });

  it('says how much of the feedback the model gave itself, and where it flatters itself', async () => {
    const assess = `  - assess: { source: judge }
    as: self
  - assess: {}`;
    const played = await run(
      (request) => (asks(request, 'score') ? '{"score": 10}' : doubled(request, request.seed % 2 === 0)),
      assess,
      1,
    );
    const [measured] = eventsOf(played.told, 'healthMeasured');
    expect(measured?.health.selfShare).toBe(0.5);
    expect(measured?.health.selfAgreement).toBeLessThan(0.9);
    const messages = eventsOf(played.told, 'warningRaised').map(({ message }) => message);
    expect(messages.some((message) => message.includes('passes its own work'))).toBe(true);
  });

  it('counts what a candidate that was accepted mended and broke', async () => {
    const played = await play({
      recipe: recipe(learn),
      models: {
        m: (request) => {
          if (asks(request, 'text')) return JSON.stringify({ text: RULE });
          const last = prompt(request).includes('double 211');
          return doubled(request, prompt(request).includes(RULE) ? !last : last);
        },
      },
      files: { ...files, 'dev.jsonl': doubling(200, 12) },
    });
    expect(eventsOf(played.told, 'healthMeasured')[0]?.health).toMatchObject({
      improvements: 11,
      regressions: 1,
    });
  });

  it('knows a loop that proposes the same again', async () => {
    const played = await play({
      recipe: recipe(
        `
  - propose: { source: empty, n: 1, each: 4 }
  - solve: {}
  - assess: {}
  - evaluate: { suite: dev }`,
        { rounds: 2 },
      ),
      models: {
        m: (request) =>
          asks(request, 'input')
            ? Array.from({ length: 4 }, (_, index) =>
                JSON.stringify({
                  input: `please kindly work out for me what is double ${(request.seed % 900) + 1000 + index}`,
                  reference: '1',
                }),
              ).join('\n')
            : doubled(request, false),
      },
      files,
    });
    const rounds = eventsOf(played.told, 'healthMeasured').map(({ health }) => health.novelty);
    expect(rounds[0]).toBeNull();
    expect(rounds[1]).toBeLessThan(0.3);
    expect(
      eventsOf(played.told, 'warningRaised').some(({ seenBefore }) =>
        seenBefore?.includes('loss of diversity'),
      ),
    ).toBe(true);
  });
});
