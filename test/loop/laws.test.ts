/** The nine laws of the design, each with what tries to break it. */
import { describe, expect, it } from 'vitest';
import { parseRecipe } from '../../src/core/loop/parseRecipe.ts';
import type { ModelRequest } from '../../src/core/ports.ts';
import { StoreError } from '../../src/core/ports.ts';
import { asks, doubled, doubling, everything, files, recipe, wideScene } from '../fakes/doublingWorld.ts';
import { eventsOf, expectSameAtAnyPace, play, prompt, type Played } from '../fakes/scriptedRun.ts';

const problems = (text: string) => parseRecipe(text).problems.map(({ message }) => message);

describe('law 1: only update makes candidates, only select over candidates moves the pointer', () => {
  it('holds for every event of a run of all operators', async () => {
    const played = await play(wideScene);
    expect(played.end.kind).toBe('done');
    const made = eventsOf(played.told, 'candidateMade');
    const accepted = eventsOf(played.told, 'candidateAccepted');
    expect(made.length).toBeGreaterThan(3);
    expect(accepted.length).toBeGreaterThan(0);
    for (const { at } of made) expect(at.step).toContain('update');
    for (const { at } of accepted) expect(at.step).toContain('select');
    const known = new Set(made.map(({ candidateId }) => candidateId as string));
    for (const { candidateId } of accepted) expect(known.has(candidateId)).toBe(true);
    for (const { id, parents } of played.store.candidates.values()) expect(parents).not.toContain(id);
  });

  it('gives a recipe that updates without a gate the default one', () => {
    const text = recipe(`
  - solve: {}
  - assess: {}
  - distill: {}
  - update: { slot: memory }
  - evaluate: { suite: dev }`);
    expect(parseRecipe(text).recipe?.steps.at(-1)).toMatchObject({ with: { policy: 'gate' } });
  });
});

describe('law 2: nothing of a sealed task reaches an update', () => {
  it('no step but the final scoring ever shows a test task, though train and test share rows', async () => {
    const shared = {
      ...files,
      'train.jsonl': [...doubling(100, 6), ...doubling(300, 4), ...doubling(200, 2)],
    };
    const played = await play({ ...wideScene, files: shared });
    expect(played.end.kind).toBe('done');
    const shown = played.requests.filter((request) => /double 30\d/.test(prompt(request)));
    expect(shown.length).toBeGreaterThan(0);
    for (const request of shown) expect(request.messages.at(-1)?.content).toMatch(/^double 30\d$/);
    // Start and final candidate, once each.
    expect(shown.length).toBeLessThanOrEqual(8);
    for (const { data } of played.jobs) expect(JSON.stringify(data)).not.toMatch(/double (30|20)\d/);
  });

  it('a proposer that knows the test by heart does not get it in', async () => {
    const played = await play({
      ...wideScene,
      models: {
        m: (request) =>
          asks(request, 'input')
            ? doubling(300, 4)
                .map(({ input, reference }) => JSON.stringify({ input: `${input}.`, reference }))
                .join('\n')
            : everything(request),
      },
      recipe: wideScene.recipe.replaceAll('n: 3 }\n', 'n: 3, each: 10 }\n'),
    });
    for (const { data } of played.jobs) expect(JSON.stringify(data)).not.toContain('double 30');
    expect(eventsOf(played.told, 'warningRaised').some(({ message }) => message.includes('sealed'))).toBe(
      true,
    );
  });
});

describe('law 3: no refinement is kept without feedback it cites', () => {
  it('holds for every refinement of a run of all operators', async () => {
    const { store } = await play(wideScene);
    const kept = [...store.refinements.values()].filter(({ verdict }) => verdict !== 'dropped');
    expect(kept.length).toBeGreaterThan(0);
    for (const { cites } of kept) {
      expect(cites.length).toBeGreaterThan(0);
      for (const id of cites) expect(store.feedback.has(id)).toBe(true);
    }
  });

  it('an unreadable judge keeps nothing, whatever the policy', async () => {
    for (const policy of ['threshold', 'band', 'top', 'distinct', 'extremes', 'softmax', 'tournament']) {
      const { store } = await play({
        recipe: recipe(`
  - solve: { n: 2 }
  - assess: { source: judge }
  - select: { over: solutions, policy: ${policy} }
  - evaluate: { suite: dev }`),
        models: { m: (request) => (asks(request, 'score') ? 'Ten out of ten!' : doubled(request, true)) },
        files,
      });
      expect([...store.refinements.values()].map(({ verdict }) => verdict)).toEqual(
        Array(12).fill('dropped'),
      );
    }
  });

  it('agreement alone keeps nothing that nobody judged', async () => {
    const { store } = await play({
      recipe: recipe(`
  - solve: {}
  - assess: {}
  - solve: { n: 2, into: add }
    as: unjudged
  - select: { over: solutions, policy: majority }
  - evaluate: { suite: dev }`),
      models: { m: (request) => doubled(request, true) },
      files,
    });
    const verdictOf = (id: string) =>
      [...store.refinements.values()].find(({ solutionId }) => solutionId === id)?.verdict;
    for (const { id, at } of store.solutions.values())
      expect(verdictOf(id)).toBe(at.step === 'unjudged' ? 'dropped' : 'kept');
  });

  it('says whether a judge is the model itself', async () => {
    const text = (judge: string) =>
      recipe(
        `
  - solve: {}
  - assess: { source: judge }
  - evaluate: { suite: dev }`,
        { more: judge },
      );
    const self = await play({ recipe: text(''), models: { m: everything }, files });
    const other = await play({ recipe: text('judge: j'), models: { m: everything, j: everything }, files });
    const by = ({ store }: Played) => [...new Set([...store.feedback.values()].map((item) => item.by))];
    expect(by(self)).toEqual([expect.stringMatching(/^m as judge of its own work [0-9a-f]{8}$/)]);
    expect(by(other)).toEqual([expect.stringMatching(/^j as judge [0-9a-f]{8}$/)]);
  });
});

describe('law 4: pack never leaks', () => {
  it('leaves out the hint of a rationalised solution, in prompt and answer', async () => {
    const played = await play({
      recipe: recipe(`
  - solve: {}
  - assess: {}
  - revise: { over: solutions, mode: hint, only: failures }
  - assess: {}
  - select: { over: solutions }
  - pack: {}
  - update: { slot: weights }
  - update: { slot: demonstrations }
  - evaluate: { suite: dev }`),
      models: {
        m: (request) => {
          const hint = /Known answer: (\d+)/.exec(prompt(request))?.[1];
          return hint === undefined
            ? doubled(request, false)
            : `known answer: ${hint}\n  KNOWN ANSWER: ${hint} is what I was told\nBy doubling.\nAnswer: ${hint}`;
        },
      },
      files,
    });
    const [job] = played.jobs;
    const examples = job?.data.form === 'sft' ? job.data.examples : [];
    expect(examples).toHaveLength(6);
    for (const { messages, completion } of examples) {
      expect(messages).toHaveLength(1);
      expect(messages[0]?.content).toMatch(/^double 10\d$/);
      expect(completion).toMatch(/^By doubling\.\nAnswer: 2\d\d$/);
    }
    const shown = played.requests.filter((request) => prompt(request).includes('By doubling.'));
    expect(shown.length).toBeGreaterThan(0);
    for (const request of shown) expect(prompt(request).toLowerCase()).not.toContain('known answer');
  });

  it('pairs an answer to a negated prompt with the original prompt', async () => {
    const played = await play({
      recipe: recipe(
        `
  - solve: { context: [principles] }
  - assess: {}
  - select: { over: solutions, keep: ">= 0" }
  - solve: { negated: "Answer badly.", into: add }
  - pack: { form: pairs, pairs: positiveNegative }
  - update: { slot: weights }
  - pack: { form: sft }
  - evaluate: { suite: dev }`,
        { objective: ', principles: [Be exact.]' },
      ),
      models: { m: (request) => doubled(request, !prompt(request).includes('Answer badly.')) },
      files,
    });
    const [job] = played.jobs;
    const pairs = job?.data.form === 'pairs' ? job.data.pairs : [];
    expect(pairs).toHaveLength(6);
    for (const [index, pair] of pairs.entries()) {
      expect(pair.messages).toEqual([{ role: 'user', content: `double ${100 + index}` }]);
      expect(pair.chosen).toBe(`I think.\nAnswer: ${200 + 2 * index}`);
      expect(pair.rejected).toBe(`I think.\nAnswer: ${201 + 2 * index}`);
    }
    const sft = eventsOf(played.told, 'datasetPacked').find(({ form }) => form === 'sft');
    expect(sft?.examples).toBe(6);
  });

  it('does not tell a solver the answer in the words of a judge who saw it', async () => {
    const played = await play({
      recipe: recipe(`
  - solve: {}
  - assess: { source: judge, critique: true }
  - revise: { over: solutions, mode: critique }
  - evaluate: { suite: dev }`),
      models: {
        m: (request) => {
          const reference = /<<<REFERENCE\n(\d+)/.exec(prompt(request))?.[1];
          if (reference === undefined) return doubled(request, false);
          return JSON.stringify({
            score: 0,
            reason: `It is ${reference}!`,
            critique: `Say ${reference}, not more.`,
          });
        },
      },
      files,
    });
    const again = played.requests.filter((request) => prompt(request).includes('Try the task again'));
    expect(again).toHaveLength(6);
    for (const request of again) expect(prompt(request)).toMatch(/Say \[…\], not more\./);
    for (const [index, request] of again.entries())
      expect(prompt(request)).not.toContain(` ${200 + 2 * index},`);
  });
});

describe('law 5: scores of two versions of a judge are never compared', () => {
  /** The old judge gives full marks to sample 0; the new one reads only sample 1, and gives it little. */
  const judging = (request: ModelRequest) => {
    const old = prompt(request).includes('Old rubric');
    const first = prompt(request).includes('zero');
    if (old) return JSON.stringify({ score: first ? 10 : 1, reason: 'old' });
    return first ? 'unreadable' : JSON.stringify({ score: 3, reason: 'new' });
  };
  const model = (request: ModelRequest) =>
    asks(request, 'score')
      ? judging(request)
      : doubled(request, true).replace('I think.', request.seed % 2 === 0 ? 'zero' : 'one');

  it.each(['top', 'extremes', 'tournament', 'threshold'])('in select by %s', async (policy) => {
    const played = await play({
      recipe: recipe(`
  - solve: { n: 4 }
  - assess: { source: judge, rubric: Old rubric }
  - assess: { source: judge, rubric: New rubric }
  - select: { over: solutions, policy: ${policy}, keep: ">= 0.2", k: 1 }
  - pack: { form: pairs, pairs: bestWorst }
  - evaluate: { suite: dev }`),
      models: { m: model },
      files,
    });
    const { store } = played;
    const kept = [...store.refinements.values()].filter(({ verdict }) => verdict === 'kept');
    for (const { solutionId } of kept) expect(store.solutions.get(solutionId)?.output).toContain('one');
    // All that may be compared scored the same.
    expect(eventsOf(played.told, 'datasetPacked')[0]?.examples).toBe(0);
  });

  it('in select over tasks, where the judges scored tasks', async () => {
    const played = await play({
      recipe: recipe(`
  - assess: { on: tasks, source: judge, rubric: Old rubric }
  - assess: { on: tasks, source: judge, rubric: New rubric }
  - select: { over: tasks, policy: threshold, keep: ">= 0.2" }
  - evaluate: { suite: dev }`),
      models: {
        m: (request) => {
          if (!asks(request, 'score')) return doubled(request, true);
          const even = /double 10[024]/.test(prompt(request));
          if (prompt(request).includes('Old rubric')) return '{"score": 10}';
          return even ? 'unreadable' : '{"score": 3}';
        },
      },
      files,
    });
    expect(eventsOf(played.told, 'tasksSelected')[0]).toMatchObject({ kept: 3, dropped: 3 });
  });
});

describe('law 6: every effect passes the ledger, every draw has a name', () => {
  it('a run of all operators is the same at any pace and when paused anywhere', async () => {
    await expectSameAtAnyPace(wideScene, 6);
  });

  it('a second run of the same seed is equal, one of another seed is not', async () => {
    const one = await play(wideScene);
    const two = await play({ ...wideScene, recipe: wideScene.recipe.replace('rounds:', 'seed: 2\nrounds:') });
    expect(JSON.stringify(eventsOf(one.told, 'solutionsAcquired'))).not.toBe(
      JSON.stringify(eventsOf(two.told, 'solutionsAcquired')),
    );
  });
});

describe("law 7: a task's failure is feedback, a failure to persist ends the run", () => {
  it('a run of all operators goes on when any third call fails, and when all do', async () => {
    for (const every of [3, 1]) {
      const played = await play({
        ...wideScene,
        models: {
          m: (request) =>
            request.seed % every === 0 ? { ok: false, reason: 'the answer was cut' } : everything(request),
        },
      });
      expect(played.end).toMatchObject({ kind: 'done' });
      const reasons = [...played.store.feedback.values()].map(({ reason }) => reason ?? '');
      expect(reasons.some((reason) => reason.includes('the answer was cut'))).toBe(true);
      expect(await expectSame(every)).toBe(true);
    }
  });

  async function expectSame(every: number): Promise<boolean> {
    const models = {
      m: (request: ModelRequest) =>
        request.seed % every === 0 ? ({ ok: false, reason: 'cut' } as const) : everything(request),
    };
    await expectSameAtAnyPace({ ...wideScene, models }, 1);
    return true;
  }

  it('a reply of nonsense to any operator ends nothing', async () => {
    for (const nonsense of [
      '',
      '{',
      '[]',
      '{"score": "NaN"}',
      '{"text": 5}',
      '{"better": "C"}',
      'null'.repeat(50),
    ]) {
      const played = await play({ ...wideScene, models: { m: () => nonsense } });
      expect(played.end).toMatchObject({ kind: 'done' });
    }
  });

  it('a disk that is full ends it', async () => {
    const { store } = await play(wideScene);
    store.beforeWrite = (what) => {
      if (what === 'settle') throw new StoreError('The disk is full.', 'ENOSPC');
    };
    await expect(
      play({ ...wideScene, recipe: wideScene.recipe.replace('rounds:', 'seed: 9\nrounds:') }, { store }),
    ).rejects.toThrow('The disk is full.');
  });
});

describe('law 8: code runs only in a trusted workspace and a sandbox', () => {
  it.each(['environment', 'dualExecution'])(
    'a recipe that assesses by %s is refused before anything is spent',
    async (source) => {
      const text = recipe(`
  - solve: {}
  - assess: { source: ${source} }
  - evaluate: { suite: dev }`);
      expect(problems(text)).toEqual([expect.stringContaining('sandbox')]);
      await expect(play({ recipe: text, models: { m: everything }, files })).rejects.toThrow('sandbox');
    },
  );

  it('a reply that looks like a call of a tool it was not given runs nothing', async () => {
    const played = await play({
      recipe: recipe(`
  - solve: { tools: [calculator] }
  - evaluate: { suite: dev }`),
      models: { m: () => '{"tool": "shell", "input": "rm -rf /"}' },
      files,
    });
    expect([...played.store.solutions.values()][0]?.output).toContain('shell');
    expect(played.requests.every((request) => !prompt(request).includes('shell:'))).toBe(true);
  });
});

describe("law 9: objectives change only with a person's yes", () => {
  const text = (autonomy: string, policy = 'weakness') =>
    recipe(
      `
  - evaluate: { suite: dev }
  - retarget: { policy: ${policy}, autonomy: ${autonomy} }
  - propose: { source: topic, n: 1 }
    as: proposed${policy === 'weakness' ? '' : '\n  - retarget: { policy: weakness, autonomy: high }'}`,
      { rounds: 2 },
    );
  const scene = (autonomy: string, policy?: string) => ({
    recipe: text(autonomy, policy),
    models: { m: everything },
    files,
  });

  it.each([
    ['low', 'weakness', 1],
    ['medium', 'weakness', 1],
    ['medium', 'split', 1],
    ['low', 'ratchet', 1],
    ['low', 'band', 1],
    ['medium', 'ratchet', 0],
    ['high', 'weakness', 0],
  ] as const)(
    'autonomy %s, %s: pauses %i times before the first change',
    async (autonomy, policy, pauses) => {
      const played = await play(scene(autonomy, policy));
      expect(played.end.kind).toBe(pauses === 1 ? 'paused' : 'done');
      if (pauses === 1) {
        expect(played.end.message).toContain('Resume to agree');
        expect(eventsOf(played.told, 'retargeted').filter(({ at }) => at.step.startsWith('2.'))).toEqual([]);
        const more = played.requests.filter((request) => asks(request, 'input'));
        expect(more).toEqual([]);
      }
    },
  );

  it('goes on by Resume, once for each change, and says who agreed', async () => {
    const first = await play(scene('medium'));
    const second = await play(scene('medium'), { store: first.store, resume: first.runId });
    expect(second.end).toMatchObject({
      kind: 'paused',
      message: expect.stringContaining('round 2') as string,
    });
    const third = await play(scene('medium'), { store: first.store, resume: first.runId });
    expect(third.end.kind).toBe('done');
    expect(eventsOf(first.store.events, 'retargeted').map(({ by }) => by)).toEqual(['person', 'person']);
    // What was paid before a pause is not paid again.
    const again = second.requests.length + third.requests.length + first.requests.length;
    const whole = await play(scene('high'));
    expect(again).toBe(whole.requests.length);
  });

  it('principles stay as the recipe has them, whatever a model proposes', async () => {
    const played = await play({
      ...wideScene,
      recipe: wideScene.recipe.replace('metric: exact', 'metric: exact, principles: [Be exact.]'),
    });
    const told = played.requests.filter((request) => prompt(request).includes('Hold to these principles:'));
    expect(told.length).toBeGreaterThan(0);
    for (const request of told) expect(prompt(request)).toContain('Hold to these principles:\n- Be exact.\n');
  });
});
