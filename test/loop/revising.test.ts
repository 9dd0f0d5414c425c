/** What each way of revising shows the model in a whole run, and what becomes of its reply. */
import { describe, expect, it } from 'vitest';
import { parseRecipe } from '../../src/core/loop/parseRecipe.ts';
import type { ModelRequest } from '../../src/core/ports.ts';
import { askedFor, asks, doubled, doubling, files, recipe } from '../fakes/doublingWorld.ts';
import { eventsOf, expectSameAtAnyPace, prompt, type Played } from '../fakes/scriptedRun.ts';

const drafting = ({ requests }: Played) =>
  requests.filter((request) => prompt(request).includes('You write instructions'));
const instructions = ({ told, store }: Played) =>
  eventsOf(told, 'candidateMade').map(
    ({ candidateId }) => store.candidates.get(candidateId)?.state.instruction,
  );

describe('drafts of an instruction', () => {
  /** Candidates are made in two rounds; those of the second have what the first left in the archive. */
  const scene = (mode: string) => ({
    recipe: recipe(
      `
  - select: { over: candidates, policy: softmax, k: 9, temperature: 10 }
  - revise: { over: instruction, mode: ${mode}, n: 4 }
    as: drafts
  - revise: { over: instruction, mode: zeroOrder, n: 2 }
    as: others
  - update: { slot: instruction }
  - evaluate: { suite: train }
  - evaluate: { suite: dev }`,
      { rounds: 2, more: 'population: { archive: all }\ninstruction: "Answer. Be brief."' },
    ),
    models: {
      m: (request: ModelRequest) => {
        if (asks(request, 'way')) return JSON.stringify({ way: `look for ${request.seed}` });
        if (asks(request, 'phrase')) return JSON.stringify({ phrase: `Phrase ${request.seed % 97}.` });
        if (asks(request, 'instruction'))
          return JSON.stringify({
            instruction: `Double it${'!'.repeat(request.seed % 3)} ${request.seed % 97}.`,
          });
        return doubled(request, (askedFor(request) ?? 0) % 3 === prompt(request).length % 3);
      },
    },
    files,
  });

  it.each([
    ['firstOrder', /Change it in this way/],
    ['lineage', /the next of it/],
    ['trajectory', /score \d+ of 100: [^]*Tasks of the kind:[^]*double 10\d/],
    ['hyper', /Change it in this way:\n<<<WAY\nlook for/],
    ['crossover', /A \(score \d+ of 100\)[^]*B \(score \d+ of 100\)/],
    ['differential', /BASE \([^]*BEST \(score/],
    ['merge', /Both grew from:\n<<<ANCESTOR\nAnswer\. Be brief\./],
    ['paraphrase', /<<<PHRASE\n(Answer\.|Be brief\.)\nPHRASE>>>/],
  ])('by %s are the same at any pace, shown what the run knows', async (mode, words) => {
    const played = await expectSameAtAnyPace(scene(mode), 1);
    expect(drafting(played).some((request) => words.test(prompt(request)))).toBe(true);
    const made = instructions(played);
    expect(made.length).toBeGreaterThan(3);
    if (mode === 'paraphrase') {
      expect(
        made.some((text) => /^(Answer\.\nPhrase \d+\.|Phrase \d+\.\nBe brief\.)$/.test(text ?? '')),
      ).toBe(true);
    }
    // What candidates were measured on beside train never reaches a prompt of the optimiser (law 2).
    for (const request of drafting(played)) expect(prompt(request)).not.toMatch(/double [23]\d\d/);
  });

  it('by hyper, a child’s way is its parent’s, changed once more', async () => {
    const played = await expectSameAtAnyPace(scene('hyper'), 1);
    const ways = drafting(played).filter((request) => asks(request, 'way'));
    const shown = ways.map((request) => /<<<WAY\n([^\n]*)/.exec(prompt(request))?.[1] ?? '');
    expect(shown.some((way) => way.startsWith('look for '))).toBe(true);
    expect(shown.some((way) => !way.startsWith('look for '))).toBe(true);
  });

  it('by merge, shows train tasks each is better on', async () => {
    const played = await expectSameAtAnyPace(scene('merge'), 1);
    const merges = drafting(played).filter((request) => prompt(request).includes('Two instructions, each'));
    expect(
      merges.some((request) => /Tasks that [AB] is better on:\n<<<TASK\ndouble 10\d/.test(prompt(request))),
    ).toBe(true);
  });
});

describe('tasks, knowledge and workflows', () => {
  const asked = ({ requests }: Played, words: string) =>
    requests.filter((request) => prompt(request).includes(words)).map(prompt);
  const lesson = (request: ModelRequest) =>
    JSON.stringify({ text: `Lesson of ${prompt(request).includes('wrong') ? 'failures' : 'successes'}.` });
  const scene = (steps: string, reply: (request: ModelRequest) => string) => ({
    recipe: recipe(`
  - solve: {}
  - assess: {}${steps}
  - evaluate: { suite: dev }`),
    models: {
      m: (request: ModelRequest) => {
        if (prompt(request).includes('<<<TEXT')) return reply(request);
        if (asks(request, 'text')) return lesson(request);
        return doubled(request, (askedFor(request) ?? 0) % 2 === 0);
      },
    },
    files,
  });
  const inOtherWords = (request: ModelRequest) => {
    const text = /<<<TEXT\n([^]*?)\nTEXT>>>/.exec(prompt(request))?.[1] ?? '';
    return JSON.stringify({ text: `please ${text}` });
  };

  it.each(['restate', 'critiqueFree', 'critique'])(
    'tasks by %s: only failures are asked about',
    async (mode) => {
      const steps = `
  - revise: { over: tasks, mode: ${mode}, only: failures }
  - solve: {}
    as: fresh`;
      const played = await expectSameAtAnyPace(scene(steps, inOtherWords), 1);
      const shown = asked(played, '<<<TEXT');
      expect(shown).toHaveLength(3);
      for (const text of shown) expect(text).toMatch(/<<<TEXT\ndouble 10[135]\n/);
      for (const text of shown) expect(text.includes('Attempt: I think.')).toBe(mode === 'critique');
      const solved = [...played.store.solutions.values()].filter(({ at }) => at.step === 'fresh');
      const inputs = solved.map(({ taskId }) => played.store.tasks.get(taskId)?.input);
      expect(inputs).toEqual(
        doubling(100, 6).map(({ input }, index) => (index % 2 === 1 ? `please ${input}` : input)),
      );
    },
  );

  it('a task whose new words give its answer away stays as it was', async () => {
    const steps = `
  - revise: { over: tasks }
  - solve: {}
    as: fresh`;
    const telling = (request: ModelRequest) => {
      const number = Number(/<<<TEXT\ndouble (\d+)/.exec(prompt(request))?.[1]);
      return JSON.stringify({ text: `double ${number}, which is ${2 * number}` });
    };
    const played = await expectSameAtAnyPace(scene(steps, telling), 1);
    const solved = [...played.store.solutions.values()].filter(({ at }) => at.step === 'fresh');
    expect(solved.map(({ taskId }) => played.store.tasks.get(taskId)?.input)).toEqual(
      doubling(100, 6).map(({ input }) => input),
    );
  });

  it('knowledge: only what did more harm than good, by the attempts it comes from', async () => {
    const steps = `
  - distill: { form: rule, unit: task }
  - revise: { over: knowledge, mode: critique, only: failures }
  - update: { slot: memory }`;
    const played = await expectSameAtAnyPace(
      scene(steps, () => JSON.stringify({ text: 'A better lesson.' })),
      1,
    );
    const shown = asked(played, '<<<TEXT');
    expect(shown).toHaveLength(1);
    expect(shown[0]).toMatch(/Lesson of failures[^]*Task: double 10[135]\nAttempt: I think/);
    const memory = [...played.store.candidates.values()].flatMap(({ state }) => state.memory ?? []);
    expect(memory.map(({ text }) => text).sort()).toEqual(['A better lesson.', 'Lesson of successes.']);
  });

  it('knowledge whose new words copy a task stays as it was', async () => {
    const steps = `
  - distill: { form: rule, unit: batch, size: 9 }
  - revise: { over: knowledge, mode: critiqueFree }
  - update: { slot: memory }`;
    const played = await expectSameAtAnyPace(
      scene(steps, () => JSON.stringify({ text: 'The answer is 202.' })),
      1,
    );
    const memory = [...played.store.candidates.values()].flatMap(({ state }) => state.memory ?? []);
    expect(memory.map(({ text }) => text)).toEqual(['Lesson of failures.']);
    expect(eventsOf(played.told, 'knowledgeDistilled').at(-1)).toMatchObject({ refused: 1 });
  });

  it('a workflow by the attempts that failed', async () => {
    const steps = `
  - distill: { form: workflow, unit: batch, size: 9 }
  - revise: { over: workflow, mode: critique, only: failures }
  - update: { slot: workflow }`;
    const played = await expectSameAtAnyPace(
      scene(steps, () => JSON.stringify({ text: '1. Double it.' })),
      1,
    );
    expect(asked(played, '<<<TEXT')[0]).toMatch(/Write this workflow anew[^]*<<<SAID\nTask: double 101/);
    const made = [...played.store.candidates.values()].flatMap(({ state }) => state.workflow ?? []);
    expect(made).toEqual(['1. Double it.']);
  });

  it('solutions in own words follow the attempt, and are asked nothing of what was said', async () => {
    const steps = `
  - revise: { over: solutions, mode: restate, only: all }
  - assess: {}
    as: again
  - select: { over: solutions }`;
    const played = await expectSameAtAnyPace(scene(steps, inOtherWords), 1);
    const restated = played.requests.filter((request) => prompt(request).includes('in your own words'));
    expect(restated).toHaveLength(6);
    expect(restated[0]?.messages.map(({ role }) => role)).toEqual(['user', 'assistant', 'user']);
    expect(eventsOf(played.told, 'refinementsMade')[0]).toMatchObject({ kept: 3, dropped: 3 });
  });

  it.each([
    ['{ over: tasks, mode: hint }', /Invalid/],
    ['{ over: knowledge, mode: critique }', /needs knowledge, which no earlier step makes/],
  ])('%s is refused', (parameters, words) => {
    const { problems } = parseRecipe(recipe(`  - revise: ${parameters}\n  - evaluate: { suite: dev }`));
    expect(problems[0]?.message).toMatch(words);
    expect(problems[0]?.line).toBe(13);
  });
});
