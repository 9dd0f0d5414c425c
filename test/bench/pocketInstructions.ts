/**
 * Owns a phrase search over Pocket without the engine (GrIPS, Prasad et al. 2023): what wording is worth on the base
 * weights, and how far edits lift four starts. For tuning the base weights; the product's loop goes through the ports.
 * Usage: node test/bench/pocketInstructions.ts [--seed 1] [--rounds 8] [--folder media/pocket]
 */
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { additionInput, additionReference, drawAddition } from '../../src/core/acquire/addition.ts';
import { pick, stream, streamSeed } from '../../src/core/measure/random.ts';
import type { Random } from '../../src/core/measure/random.ts';
import { allPhrases } from '../../src/adapters/pocket/phrases.ts';
import { openPocket } from '../../src/adapters/pocket/pocket.ts';
import { memoryStore } from '../fakes/memoryStore.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    rounds: { type: 'string', default: '8' },
    folder: { type: 'string', default: `${root}media/pocket` },
  },
});
const seed = Number(values.seed);
const pocket = openPocket({
  worker: new URL('../../src/adapters/pocket/worker.ts', import.meta.url),
  folder: values.folder,
});
const { model } = pocket.over(memoryStore());

/** Share of right answers at temperature 1 on problems of which 30 % have 2 digits, the others 3. */
async function score(
  phrases: readonly string[],
  split: 'train' | 'dev' | 'test',
  count: number,
  name: string,
) {
  const random = stream(seed, split, name);
  const problems = Array.from({ length: count }, () =>
    drawAddition(random, random.unit() < 0.3 ? 2 : 3, split),
  );
  const requests = problems.map((problem, i) => ({
    messages: [
      { role: 'system', content: phrases.join('\n') },
      { role: 'user', content: additionInput(problem) },
    ] as const,
    temperature: 1,
    maxTokens: 64,
    seed: streamSeed(seed, split, name, phrases.join('\n'), i),
    weights: null,
  }));
  let right = 0;
  for await (const { index, answer } of model.generate(requests, { aborted: false })) {
    const problem = problems[index] as (typeof problems)[number];
    if (answer.ok && answer.text.split('>').at(-1) === additionReference(problem)) right++;
  }
  return right / count;
}

/** One edit: delete, swap, add or substitute a phrase. */
function edited(random: Random, phrases: readonly string[]): string[] {
  const out = [...phrases];
  const edit = pick(random, ['delete', 'swap', 'add', 'substitute'] as const);
  const at = random.int(out.length);
  if (edit === 'delete' && out.length > 1) out.splice(at, 1);
  else if (edit === 'swap' && out.length > 1) {
    const other = random.int(out.length);
    [out[at], out[other]] = [out[other] as string, out[at] as string];
  } else if (edit === 'add') out.splice(at, 0, pick(random, allPhrases));
  else out[at] = pick(random, allPhrases);
  return out;
}

const starts = [
  ['you are a helpful assistant', 'compute the sum', 'answer now'],
  ['please', 'only the number', 'be careful'],
  ['solve', 'quick reply', 'thank you', 'do not explain'],
  ['here is a task', 'be brief'],
];

for (const phrase of ['', ...allPhrases])
  console.log(`${(await score([phrase], 'dev', 400, 'phrase')).toFixed(3)} ${phrase || '(none)'}`);
for (const [index, start] of starts.entries()) {
  const random = stream(seed, 'search', index);
  let current = start;
  let best = await score(current, 'train', 48, 'search');
  for (let round = 0; round < Number(values.rounds); round++) {
    const drafts = Array.from({ length: 8 }, () => edited(random, current));
    for (const draft of drafts) {
      const value = await score(draft, 'train', 48, 'search');
      if (value > best) [best, current] = [value, draft];
    }
  }
  const [before, after] = [await score(start, 'test', 400, 'end'), await score(current, 'test', 400, 'end')];
  console.log(`${before.toFixed(3)} -> ${after.toFixed(3)}  ${start.join(' / ')} -> ${current.join(' / ')}`);
}
await pocket.close();
