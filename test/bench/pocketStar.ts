/**
 * Owns a loop over Pocket's two ports, without the engine: hint-free rejection sampling on addition with its
 * unfiltered control, by run seed, as in the sample recipe but without its gate. With --write the result goes to
 * test/bench/results/pocketStar.json.
 * For tuning the base weights: seconds a curve instead of a whole run.
 * Usage: node test/bench/pocketStar.ts [--seeds 1,2,3,4,5] [--rounds 5] [--folder media/pocket] [--write]
 */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { additionInput, additionReference, drawAddition } from '../../src/core/acquire/addition.ts';
import type { AdditionProblem } from '../../src/core/acquire/addition.ts';
import { stream, streamSeed } from '../../src/core/measure/random.ts';
import type { ContentHash } from '../../src/core/model/ids.ts';
import type { Message, TrainingExample } from '../../src/core/ports.ts';
import { openPocket } from '../../src/adapters/pocket/pocket.ts';
import { memoryStore } from '../fakes/memoryStore.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '1,2,3,4,5' },
    rounds: { type: 'string', default: '5' },
    folder: { type: 'string', default: `${root}media/pocket` },
    instruction: { type: 'string', default: '' },
    rate: { type: 'string', default: '7e-4' },
    arms: { type: 'string', default: 'main,control' },
    problems: { type: 'string', default: '500' },
    write: { type: 'boolean', default: false },
  },
});
const pocket = openPocket({
  worker: new URL('../../src/adapters/pocket/worker.ts', import.meta.url),
  folder: values.folder,
});
const { model, trainer } = pocket.over(memoryStore());
const go = { aborted: false };

interface Asked {
  readonly messages: readonly Message[];
  readonly problem: AdditionProblem;
  readonly text: string;
  readonly right: boolean;
}

async function ask(
  problems: readonly AdditionProblem[],
  count: number,
  temperature: number,
  weights: ContentHash | null,
  seed: number,
): Promise<Asked[]> {
  const asked = problems.flatMap((problem) => Array.from({ length: count }, () => problem));
  const requests = asked.map((problem, i) => ({
    messages: [
      { role: 'system', content: values.instruction },
      { role: 'user', content: additionInput(problem) },
    ] as const,
    temperature,
    maxTokens: 64,
    seed: streamSeed(seed, i),
    weights,
  }));
  const out: Asked[] = [];
  for await (const { index, answer } of model.generate(requests, go)) {
    if (!answer.ok) throw new Error(answer.reason);
    const problem = asked[index] as AdditionProblem;
    const right = answer.text.split('>').at(-1) === additionReference(problem) && answer.text.includes('>');
    out[index] = { messages: requests[index]?.messages ?? [], problem, text: answer.text, right };
  }
  return out;
}

const share = (asked: readonly Asked[]) => asked.filter((one) => one.right).length / asked.length;

interface Curve {
  readonly seed: number;
  readonly arm: string;
  /** Share of right greedy answers on dev problems of 3 digits, before and after each round. */
  readonly dev: readonly number[];
  /** The same on as many test problems, after the last round. */
  readonly test: number;
  readonly seconds: number;
}

function problemsOf(split: 'dev' | 'test'): AdditionProblem[] {
  const random = stream(7, split);
  return Array.from({ length: Number(values.problems) }, () => drawAddition(random, 3, split));
}

async function runArm(arm: string, seed: number): Promise<Curve> {
  const started = performance.now();
  const dev = problemsOf('dev');
  let weights: ContentHash | null = null;
  const curve = [share(await ask(dev, 1, 0, weights, seed))];
  for (let round = 1; round <= Number(values.rounds); round++) {
    const random = stream(seed, 'train', round);
    const problems = Array.from({ length: 192 }, (_, i) => drawAddition(random, 2 + (i % 2), 'train'));
    const solutions = await ask(problems, 4, 1, weights, streamSeed(seed, arm, round));
    const kept = new Map<string, TrainingExample>();
    for (const { messages, problem, text, right } of solutions)
      if (right || arm === 'control')
        kept.set(`${additionInput(problem)} ${text}`, { messages, completion: text });
    const result = await trainer.train(
      {
        base: weights,
        data: { form: 'sft', examples: [...kept.values()] },
        replay: { share: 0.25, digits: [1, 2] },
        learningRate: Number(values.rate),
        epochs: 1,
        seed: streamSeed(seed, arm, round, 'train'),
      },
      go,
      () => {},
    );
    weights = result?.weights ?? weights;
    curve.push(share(await ask(dev, 1, 0, weights, seed)));
  }
  const test = share(await ask(problemsOf('test'), 1, 0, weights, seed));
  return { seed, arm, dev: curve, test, seconds: Math.round((performance.now() - started) / 100) / 10 };
}

const curves: Curve[] = [];
for (const seed of values.seeds.split(',').map(Number))
  for (const arm of values.arms.split(',')) {
    const curve = await runArm(arm, seed);
    curves.push(curve);
    const percent = (value: number) => (100 * value).toFixed(1);
    console.log(
      `seed ${seed} ${arm}: ${curve.dev.map(percent).join(' ')}, test ${percent(curve.test)} (${curve.seconds} s)`,
    );
  }
await pocket.close();
if (values.write) {
  const result = {
    model: model.name,
    learningRate: Number(values.rate),
    problems: Number(values.problems),
    curves,
  };
  writeFileSync(`${root}test/bench/results/pocketStar.json`, `${JSON.stringify(result, null, 2)}\n`);
}
