import { describe, expect, it } from 'vitest';
import type { ModelRequest } from '../../src/core/ports.ts';
import { askedFor, asks, doubled, doubling, files, recipe } from '../fakes/doublingWorld.ts';
import { eventsOf, expectSameAtAnyPace, play, prompt, task, type Played } from '../fakes/scriptedRun.ts';

const RULE = 'Multiply the number by two exactly.';
const rules = JSON.stringify({ text: RULE });

const accepted = ({ told }: Played) => eventsOf(told, 'candidateAccepted');
const inUse = (played: Played) => {
  const id = accepted(played).at(-1)?.candidateId;
  const found = id === undefined ? undefined : played.store.candidates.get(id);
  if (found === undefined) throw new Error('nothing was accepted');
  return found.state;
};

describe('memory', () => {
  const steps = (update: string) => `
  - solve: {}
  - assess: {}
  - distill: { form: rule, unit: batch, from: both }
  - update: ${update}
  - evaluate: { suite: dev }`;
  const model = (request: ModelRequest) =>
    asks(request, 'text') ? rules : doubled(request, prompt(request).includes(RULE));

  it('is distilled, retrieved, and kept because it helps', async () => {
    const played = await expectSameAtAnyPace({
      recipe: recipe(steps('{ slot: memory, op: patch }'), { rounds: 2 }),
      models: { m: model },
      files,
    });
    expect(accepted(played)).toHaveLength(1);
    expect(inUse(played).memory?.map(({ text }) => text)).toEqual([RULE]);
    expect(eventsOf(played.told, 'testScored')[0]).toMatchObject({ start: 0, final: 1 });
  });

  it('is refused where an item carries an answer, and nothing is then kept', async () => {
    const played = await play({
      recipe: recipe(steps('{ slot: memory }')),
      models: {
        m: (request) =>
          asks(request, 'text') ? JSON.stringify({ text: 'The answer is 200.' }) : doubled(request, false),
      },
      files,
    });
    expect(eventsOf(played.told, 'knowledgeDistilled')[0]).toMatchObject({ count: 0, refused: 2 });
    expect(accepted(played)).toEqual([]);
  });

  it('adds up with other slots updated in the same round: one contender has them all', async () => {
    const played = await play({
      recipe: recipe(`
  - solve: {}
  - assess: {}
  - select: { over: solutions, keep: ">= 0" }
  - distill: { form: rule, unit: batch }
  - update: { slot: memory }
  - update: { slot: scratch }
  - update: { slot: demonstrations, k: 2 }
  - evaluate: { suite: dev }`),
      models: { m: model },
      files,
    });
    expect(eventsOf(played.told, 'candidateMade').map(({ slot }) => slot)).toEqual([
      'memory',
      'scratch',
      'demonstrations',
    ]);
    const state = inUse(played);
    expect([state.memory?.length, state.scratch?.length, state.demonstrations?.length]).toEqual([1, 1, 2]);
  });
});

describe('a loop within a round', () => {
  const steps = `
  - solve: {}
  - assess: { source: judge, critique: true, rubric: "Is it exact?" }
    as: judge
  - loop:
      max: 4
      until: solved
      do:
        - revise: { over: solutions, mode: critique, only: failures }
        - assess: { source: judge, critique: true, rubric: "Is it exact?" }
          as: again
  - select: { over: solutions }
  - pack: {}
  - update: { slot: weights }
  - evaluate: { suite: dev }`;
  const judge = (request: ModelRequest) => {
    const answer = Number(/<<<ANSWER[^]*?Answer: (\d+)/.exec(prompt(request))?.[1]);
    const right = answer === 2 * (askedFor(request) ?? 0);
    return JSON.stringify({
      score: right ? 10 : 0,
      reason: 'seen',
      critique: right ? 'Keep it.' : 'Subtract one.',
    });
  };

  it('turns until all is solved, then no more, and pays no judge twice for the same answer', async () => {
    const played = await expectSameAtAnyPace({
      recipe: recipe(steps),
      models: {
        m: (request) =>
          asks(request, 'score')
            ? judge(request)
            : doubled(request, prompt(request).includes('Subtract one.')),
      },
      files,
    });
    const judged = played.requests.filter((request) => asks(request, 'score'));
    expect(judged).toHaveLength(12);
    const turns = eventsOf(played.told, 'stepStarted').map(({ at }) => at.step);
    expect(turns.filter((step) => step.startsWith('again#'))).toEqual(['again#1']);
    const [job] = played.jobs;
    expect(job?.data.form === 'sft' ? job.data.examples.map(({ completion }) => completion) : []).toEqual(
      doubling(100, 6).map(({ reference }) => `I think.\nAnswer: ${reference}`),
    );
  });

  it('ends at its most turns where nothing gets solved', async () => {
    const played = await play({
      recipe: recipe(steps),
      models: { m: (request) => (asks(request, 'score') ? judge(request) : doubled(request, false)) },
      files,
    });
    const turns = eventsOf(played.told, 'stepStarted').map(({ at }) => at.step);
    expect(turns.filter((step) => step.startsWith('again#'))).toHaveLength(4);
    expect(played.jobs).toEqual([]);
  });

  it('shows the next attempt the notes of the last, by the newest candidate (Reflexion)', async () => {
    const played = await expectSameAtAnyPace({
      recipe: recipe(`
  - loop:
      max: 3
      do:
        - solve: { only: all, by: newest }
        - assess: {}
        - distill: { form: reflection, unit: batch }
        - update: { slot: scratch }
  - evaluate: { suite: dev }`),
      models: {
        m: (request) => (asks(request, 'text') ? rules : doubled(request, prompt(request).includes(RULE))),
      },
      files,
    });
    const attempts = played.requests.filter(
      (request) => !asks(request, 'text') && (askedFor(request) ?? 999) < 200,
    );
    expect(attempts).toHaveLength(12);
    expect(inUse(played).scratch).toEqual([RULE]);
  });
});

describe('attempts of several turns', () => {
  it('lets roles talk; the output is the talk, the answer is what was said last', async () => {
    const played = await expectSameAtAnyPace({
      recipe: recipe(
        `
  - solve: { roles: [{ name: Guesser }, { name: Checker, instruction: Check. }], maxTurns: 4 }
  - assess: {}
  - select: { over: solutions }
  - evaluate: { suite: dev }`,
        { objective: ', answer: whole' },
      ),
      models: {
        m: (request) => {
          const asked = askedFor(request) ?? 0;
          return prompt(request).includes('You are Checker') ? String(2 * asked) : `perhaps ${asked}`;
        },
      },
      files,
    });
    const solutions = [...played.store.solutions.values()];
    expect(solutions.map(({ answer }) => answer)).toEqual(doubling(100, 6).map(({ reference }) => reference));
    expect(solutions[0]?.output).toBe(
      'Guesser: perhaps 100\n\nChecker: 200\n\nGuesser: perhaps 100\n\nChecker: 200',
    );
    expect(eventsOf(played.told, 'refinementsMade')[0]).toMatchObject({ kept: 6, dropped: 0 });
  });

  it('lets a model use the tools it has, and no others, within its turns', async () => {
    const calls = (request: ModelRequest) =>
      prompt(request).includes('calculator: 2')
        ? doubled(request, true)
        : `{"tool": "calculator", "input": "${askedFor(request)} * 2"}`;
    const run = (with_: string) =>
      play({
        recipe: recipe(`
  - solve: ${with_}
  - assess: {}
  - select: { over: solutions }
  - evaluate: { suite: dev }`),
        models: { m: calls },
        files,
      });
    const able = await run('{ tools: [calculator] }');
    expect(eventsOf(able.told, 'refinementsMade')[0]).toMatchObject({ kept: 6 });
    const short = await run('{ tools: [calculator], maxTurns: 1 }');
    expect([...short.store.solutions.values()][0]?.finish).toBe('error');
    const unable = await run('{ tools: [lookup] }');
    expect(eventsOf(unable.told, 'refinementsMade')[0]).toMatchObject({ kept: 0 });
  });
});

describe('propose', () => {
  const first = JSON.stringify({ input: 'double 400', reference: '800' });
  const propose = (source: string, more = '') => `
  - solve: {}
  - assess: {}
  - propose: { source: ${source}, n: 1, into: replace${more} }
  - solve: {}
    as: fresh
  - evaluate: { suite: dev }`;
  const run = async (source: string, reply: (request: ModelRequest) => string, more = '') => {
    const contexts = {
      'train.jsonl': doubling(100, 2).map((item) =>
        task(item.input, item.reference, { context: 'Numbers double.' }),
      ),
    };
    return expectSameAtAnyPace({
      recipe: recipe(propose(source, more)),
      models: { m: (request) => (asks(request, 'input') ? reply(request) : doubled(request, false)) },
      files: { ...files, ...contexts },
    });
  };
  const shown = {
    pool: 'double 100',
    parent: 'Rewrite this task',
    document: 'Numbers double.',
    topic: 'The topic: evenness',
    failures: 'Answer: 201',
    empty: 'as an expert',
  } as const;

  it.each(Object.entries(shown))(
    'from %s shows what it grows from and takes what is new',
    async (source, words) => {
      const played = await run(
        source,
        (request) => (prompt(request).includes(words) ? first : 'nothing'),
        source === 'topic' ? ', topics: [evenness]' : '',
      );
      const solved = [...played.store.solutions.values()].filter(({ at }) => at.step === 'fresh');
      expect(solved.map(({ output }) => output)).toEqual(['I think.\nAnswer: 801']);
    },
  );

  it('takes no task of a suite, none that is there, none without its answer', async () => {
    const lines = [
      { input: 'Double  300.', reference: '600' },
      { input: 'double 203', reference: '406' },
      { input: 'DOUBLE 100', reference: '200' },
      { input: 'double 500' },
      { input: 'double 501', reference: '1002' },
    ];
    const played = await run(
      'empty',
      () => lines.map((line) => JSON.stringify(line)).join('\n'),
      ', each: 10',
    );
    const solved = [...played.store.solutions.values()].filter(({ at }) => at.step === 'fresh');
    expect(solved.map(({ output }) => output)).toEqual(['I think.\nAnswer: 1003']);
    const warnings = eventsOf(played.told, 'warningRaised').map(({ message }) => message);
    expect(warnings).toEqual([
      '1 proposed tasks were there already; 2 proposed tasks are in a sealed suite and were not taken.',
    ]);
  });
});

describe('from', () => {
  it('puts together what several steps made, each with its verdict', async () => {
    const played = await play({
      recipe: recipe(`
  - solve: { temperature: 0 }
    as: plain
  - assess: {}
  - select: { over: solutions, keep: "< 1" }
    as: wrong
  - solve: { style: cot }
    as: reasoned
  - assess: {}
  - select: { over: solutions }
    as: right
  - pack: { form: pairs }
    from: [wrong, right]
  - pack: { form: sft, dedupe: false }
    from: [wrong, right]
  - update: { slot: weights }
  - evaluate: { suite: dev }`),
      models: { m: (request) => doubled(request, prompt(request).includes('step by step')) },
      files,
    });
    expect(eventsOf(played.told, 'datasetPacked').map(({ form, examples }) => [form, examples])).toEqual([
      ['pairs', 0],
      ['sft', 12],
    ]);
  });
});

describe('an evaluation', () => {
  it('repeats answers, scores a part of a suite, and says what failures share', async () => {
    const played = await expectSameAtAnyPace({
      recipe: recipe(`
  - solve: {}
  - assess: {}
  - distill: { form: rule, unit: batch }
  - update: { slot: memory }
  - evaluate: { suite: dev, sample: 5, repeats: 3, temperature: 1, report: true }`),
      models: {
        m: (request) =>
          asks(request, 'part')
            ? '{"part": "carrying"}'
            : asks(request, 'text')
              ? rules
              : doubled(request, request.seed % 2 === 0),
      },
      files,
    });
    const evaluations = eventsOf(played.told, 'evaluationMade').filter(({ suite }) => suite === 'dev');
    expect(evaluations.map(({ tasks }) => tasks)).toEqual(evaluations.map(() => 5));
    for (const { mean } of evaluations)
      expect(
        Number.isInteger((Math.round(mean * 1e9) / 1e9) * 15) ||
          Math.abs(mean * 15 - Math.round(mean * 15)) < 1e-9,
      ).toBe(true);
    expect(eventsOf(played.told, 'reportMade')[0]?.text).toContain('carrying');
  });
});

describe('a population', () => {
  it('draws parents from the archive, and drops what is not above its parents on the same tasks', async () => {
    const steps = `
  - select: { over: candidates, policy: pareto, k: 2 }
  - solve: {}
  - assess: {}
  - revise: { over: instruction, mode: reflect, n: 3 }
  - update: { slot: instruction }
  - evaluate: { suite: train }
    as: screen
  - select: { over: candidates, policy: strictlyBetter }
  - evaluate: { suite: dev }
  - select: { over: candidates, policy: gate }`;
    const played = await expectSameAtAnyPace({
      recipe: recipe(steps, { rounds: 2, more: 'population: { archive: all }\ninstruction: Answer.' }),
      models: {
        m: (request) => {
          if (!asks(request, 'instruction')) return doubled(request, prompt(request).includes('by two'));
          const better = prompt(request).includes('score 0') && request.seed % 3 !== 0;
          return JSON.stringify({
            instruction: better ? `Multiply by two. ${request.seed % 3}` : `Guess. ${request.seed}`,
          });
        },
      },
      files,
    });
    expect(inUse(played).instruction).toContain('by two');
    const refused = eventsOf(played.told, 'candidateRefused');
    expect(refused.some(({ reason }) => reason.includes('not above its parent'))).toBe(true);
    for (const { evaluationId } of eventsOf(played.told, 'evaluationMade'))
      expect(played.store.evaluations.has(evaluationId)).toBe(true);
  });
});

describe('a round that evaluates nothing it made', () => {
  it('refuses its candidate with the reason', async () => {
    const played = await play({
      recipe: recipe(`
  - evaluate: { suite: dev }
  - solve: {}
  - assess: {}
  - distill: { form: rule, unit: batch }
  - update: { slot: memory }
  - select: { over: candidates, policy: gate }`),
      models: { m: (request) => (asks(request, 'text') ? rules : doubled(request, false)) },
      files,
    });
    expect(eventsOf(played.told, 'candidateRefused').map(({ reason }) => reason)).toEqual([
      'nothing evaluated it in this round',
    ]);
  });
});

describe('the backward check', () => {
  it('scores an answer by finding a masked number again', async () => {
    const played = await expectSameAtAnyPace({
      recipe: recipe(`
  - solve: { n: 2 }
  - assess: { source: backward, votes: 2 }
  - select: { over: solutions }
  - evaluate: { suite: dev }`),
      models: {
        m: (request) => {
          const told = /The answer is (\d+)/.exec(prompt(request))?.[1];
          if (told !== undefined) return `Answer: ${Number(told) / 2}`;
          return doubled(request, request.seed % 2 === 0);
        },
      },
      files,
    });
    const solutions = [...played.store.solutions.values()];
    const right = solutions.filter(({ answer }) => Number(answer) % 2 === 0).length;
    expect(right).toBeGreaterThan(0);
    expect(eventsOf(played.told, 'refinementsMade')[0]).toMatchObject({
      kept: right,
      dropped: solutions.length - right,
    });
  });
});
