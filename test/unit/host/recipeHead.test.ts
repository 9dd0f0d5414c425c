import { describe, expect, test } from 'vitest';
import { byObjective, readHead, withModel, withName } from '../../../src/host/commands/recipeHead.ts';

const text = `# Objective: reasoning
# Cost: N × 8 calls a round
# Run: about 400 calls in 2 rounds
# Needs: a provider; tasks.jsonl
ratchet: 1
name: x
description: Thinks twice.
model: provider/model
data: { file: tasks.jsonl }
steps:
  - update: { slot: weights, op: export, file: out.jsonl }
`;

describe('the head of a built-in recipe', () => {
  test('says what it is for, costs and needs', () => {
    expect(readHead(text)).toEqual({
      objective: 'reasoning',
      description: 'Thinks twice.',
      rank: Number.MAX_SAFE_INTEGER,
      run: 'about 400 calls in 2 rounds',
      needs: 'a provider',
      waits: null,
      asksForModel: true,
      files: ['tasks.jsonl', 'out.jsonl'],
    });
    expect(readHead(`# Waits: it runs code.\n${text}`).waits).toBe('it runs code.');
    expect(readHead('description: "a: b"\n').description).toBe('a: b');
    expect(readHead('model: pocket\n')).toMatchObject({ asksForModel: false, files: [], run: '' });
  });

  test('the model is set as one text, whatever its name holds', () => {
    expect(withModel(text, 'a/b')).toContain('\nmodel: "a/b"\n');
    expect(withModel(text, 'a/$&"\nsteps: []')).toContain(`\nmodel: ${JSON.stringify('a/$&"\nsteps: []')}\n`);
    expect(withModel('model: pocket\n', 'a/b')).toBe('model: pocket\n');
  });

  test('a name is set as one text; the recipe’s own stays as it is written', () => {
    expect(withName(text, 'x')).toBe(text);
    expect(withName(text, '$&: 1')).toContain('\nname: "$&: 1"\n');
  });

  test('recipes stand under their objective, those that need nothing first, by rank', () => {
    const item = (name: string, objective: string, rank = '') => ({
      name,
      head: { ...readHead(`${rank}\n${text}`), objective },
    });
    const groups = byObjective([
      item('b', 'safety'),
      item('c', 'on Pocket'),
      item('a', 'safety'),
      item('d', 'coding'),
      item('b', 'on Pocket', '# Rank: 2'),
      item('z', 'on Pocket', '# Rank: 1'),
    ]);
    expect(groups.map(({ title, items }) => [title, items.map(({ name }) => name)])).toEqual([
      ['On Pocket, offline', ['z', 'b', 'c']],
      ['Coding', ['d']],
      ['Safety', ['a', 'b']],
    ]);
  });
});
