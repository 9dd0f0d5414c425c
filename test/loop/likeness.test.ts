/** Likeness by embeddings and sureness by log-probabilities, in whole runs over scripted models that give both. */
import { describe, expect, it } from 'vitest';
import { confidenceOf } from '../../src/core/acquire/confidence.ts';
import { parseRecipe } from '../../src/core/loop/parseRecipe.ts';
import type { Embedder, ModelAnswer, ModelRequest, TokenLogprob } from '../../src/core/ports.ts';
import { askedFor, asks, doubled, files, recipe } from '../fakes/doublingWorld.ts';
import { eventsOf, expectSameAtAnyPace, play, prompt, task } from '../fakes/scriptedRun.ts';

/** A direction for each colour word; other words point nowhere of these. */
const directions: Readonly<Record<string, readonly number[]>> = {
  crimson: [1, 0.1, 0],
  red: [1, 0, 0],
  blue: [0, 1, 0],
  anger: [0.9, 0, 0.2],
  sea: [0, 0.9, 0.2],
};
const vectorOf = (text: string) =>
  Float32Array.from(Object.entries(directions).find(([word]) => text.includes(word))?.[1] ?? [0, 0, 1]);
const embedder = (asked: string[] = []): Embedder => ({
  name: 'vectors',
  price: { input: 0, output: 0 },
  async *embed(texts, stop) {
    for (let next = await texts.next(); next !== null && !stop.aborted; next = await texts.next()) {
      const { index, text } = next;
      asked.push(text);
      const usage = { input: 1, output: 0 };
      yield text.includes('unknown')
        ? { index, answer: { ok: false, reason: 'no' } as const }
        : {
            index,
            answer: { ok: true, vector: vectorOf(text), usage, model: 'v', requestId: null } as const,
          };
    }
  },
});

const tasks = (name: string) => [
  task(`${name}: name the colour of blood`, 'red'),
  task(`${name}: and of the sky`, 'blue'),
];
const colours = { 'train.jsonl': tasks('one'), 'dev.jsonl': tasks('two'), 'test.jsonl': tasks('three') };

describe('the metric embedding', () => {
  const text = (more = 'embedder: v') =>
    recipe(
      `
  - solve: {}
  - assess: { metric: embedding }
  - select: { over: solutions, keep: ">= 0.9" }
  - evaluate: { suite: dev }`,
      { more },
    ).replace('metric: exact', 'metric: embedding');
  const scene = (answer: string) => ({
    recipe: text(),
    models: { m: () => `Answer: ${answer}`, v: () => '' },
    files: colours,
    abilities: { v: { embedder: embedder() } },
  });

  it('scores by meaning, at any pace, in assess and in a suite', async () => {
    const played = await expectSameAtAnyPace(scene('crimson'));
    expect(eventsOf(played.told, 'refinementsMade')[0]).toMatchObject({ kept: 1, dropped: 1 });
    const [first] = eventsOf(played.told, 'evaluationMade');
    expect(first?.mean).toBeCloseTo((1 / Math.hypot(1, 0.1) + 0.1 / Math.hypot(1, 0.1)) / 2, 5);
  });

  it('keeps nothing that got no vector, and ends nothing by it', async () => {
    const played = await play(scene('unknown'));
    expect(played.end).toMatchObject({ kind: 'done' });
    expect(eventsOf(played.told, 'refinementsMade')[0]).toMatchObject({ kept: 0, dropped: 2 });
  });

  it('is refused without an embedder, and by one sentence before anything is spent where a provider makes none', async () => {
    expect(parseRecipe(text('')).problems.map(({ message, path }) => [path, message])).toEqual([
      ['steps[1].assess.metric', expect.stringContaining('needs an embedder')],
      ['objective.metric', expect.stringContaining('needs an embedder')],
    ]);
    const played = await play({ ...scene('red'), abilities: {} });
    expect(played.end).toMatchObject({ kind: 'provider' });
    expect(played.end.message).toContain('makes no embeddings');
    expect(played.requests).toEqual([]);
  });
});

describe('retrieval by embedding', () => {
  /** What is learnt of the two tasks shares no word with the suite's, but a direction. */
  const scene = (retrieval: string) => ({
    recipe: recipe(
      `
  - solve: {}
  - assess: {}
  - distill: { form: fact, unit: task, ban: none }
  - update: { slot: memory }
  - evaluate: { suite: dev }`,
      { more: `embedder: v\nretrieval: ${retrieval}` },
    ),
    models: {
      m: (request: ModelRequest) => {
        const asked = prompt(request);
        if (asks(request, 'text'))
          return JSON.stringify({ text: asked.includes('anger') ? 'It is red.' : 'It is blue.' });
        const known = /It is (red|blue)/.exec(asked)?.[1];
        return `Answer: ${known ?? 'green'}`;
      },
      v: () => '',
    },
    files: {
      'train.jsonl': [task('What of anger?', 'red'), task('What of the sea?', 'blue')],
      'dev.jsonl': [...Array(6).keys()].flatMap((place) => [
        task(`anger ${place}, then?`, 'red'),
        task(`sea ${place}, then?`, 'blue'),
      ]),
      'test.jsonl': [task('anger, at last?', 'red')],
    },
    abilities: { v: { embedder: embedder() } },
  });

  it('finds by meaning what shares no word', async () => {
    const played = await expectSameAtAnyPace(scene('embedding'));
    expect(eventsOf(played.told, 'evaluationMade').at(-1)?.mean).toBe(1);
    expect(eventsOf(played.told, 'candidateAccepted')).toHaveLength(1);
    const words = await play(scene('words'));
    expect(eventsOf(words.told, 'evaluationMade').map(({ mean }) => mean)).not.toContain(1);
  });
});

describe('assess by log-probability', () => {
  const sure = (yes: number): TokenLogprob[] => [
    {
      token: yes >= 0.5 ? 'Yes' : 'No',
      logprob: Math.log(Math.max(yes, 1 - yes)),
      alternatives: [
        { token: 'Yes', logprob: Math.log(yes) },
        { token: 'No', logprob: Math.log(1 - yes) },
      ],
    },
  ];
  const steps = `
  - solve: { n: 2 }
  - assess: { source: logProbability }
  - select: { over: solutions, keep: ">= 0.6" }
  - evaluate: { suite: dev }`;
  const reply = (text: string, logprobs: readonly TokenLogprob[] | null): ModelAnswer => ({
    ok: true,
    text,
    finish: 'stop',
    usage: { input: 1, output: 1 },
    model: 'm',
    requestId: null,
    logprobs,
  });
  /** Surer of what is right; of one task nothing can be seen. */
  const model = (request: ModelRequest) => {
    if (request.logprobs === undefined) return doubled(request, request.seed % 2 === 0);
    const said = Number(/Answer: (\d+)/.exec(prompt(request))?.[1]);
    const asked = askedFor(request) ?? 0;
    if (asked === 103) return reply('Yes', null);
    return reply('Yes', sure(said === 2 * asked ? 0.9 : 0.2));
  };
  const scene = { recipe: recipe(steps), models: { m: model }, files };

  it('keeps what the model is sure of, and nothing whose sureness it does not show', async () => {
    const played = await expectSameAtAnyPace({ ...scene, abilities: { m: { givesLogprobs: true } } });
    const { solutions, refinements } = played.store;
    for (const { solutionId, verdict } of refinements.values()) {
      const solution = solutions.get(solutionId);
      const right = Number(solution?.answer) % 2 === 0 && solution?.answer !== '206';
      expect(verdict).toBe(right ? 'kept' : 'dropped');
    }
    expect(eventsOf(played.told, 'refinementsMade')[0]?.kept).toBeGreaterThan(0);
    expect(eventsOf(played.told, 'feedbackGiven')[0]).toMatchObject({ source: 'logprob', count: 12 });
    const judging = played.requests.filter(({ logprobs }) => logprobs !== undefined);
    // The reference is not shown: what counts is what the model knows itself.
    for (const request of judging) expect(prompt(request)).not.toContain('REFERENCE');
  });

  it('is refused by one sentence before anything is spent where the model gives none', async () => {
    const played = await play(scene);
    expect(played.end).toMatchObject({ kind: 'provider' });
    expect(played.end.message).toContain('gives no log-probabilities');
    expect(played.requests).toEqual([]);
  });

  it('reads the first yes or no, whatever stands before it', () => {
    expect(confidenceOf(sure(0.25))).toBeCloseTo(0.25, 9);
    const lead: TokenLogprob = { token: '\n', logprob: 0, alternatives: [] };
    expect(confidenceOf([lead, ...sure(0.75)])).toBeCloseTo(0.75, 9);
    expect(confidenceOf([{ token: 'YES', logprob: Math.log(0.5), alternatives: [] }])).toBe(1);
    expect([confidenceOf([lead]), confidenceOf([]), confidenceOf(null), confidenceOf(undefined)]).toEqual([
      null,
      null,
      null,
      null,
    ]);
  });
});
