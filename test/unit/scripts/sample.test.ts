// Owns the tests of the kept copy of the sample workspace: a person's own changes must survive every start.
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { updateCopy } from '../../../scripts/lib/sample.ts';

describe('updateCopy', () => {
  let place = '';
  const at = (...parts: readonly string[]) => path.join(place, ...parts);
  const update = () => updateCopy(at('from'), at('to'), at('record.json'));
  const copied = (name: string) => readFileSync(at('to', name), 'utf8');

  beforeEach(() => {
    place = mkdtempSync(path.join(tmpdir(), 'ratchet-copy-'));
    mkdirSync(at('from', 'data'), { recursive: true });
    writeFileSync(at('from', 'a.yaml'), 'first');
    writeFileSync(at('from', 'data', 'b.jsonl'), 'tasks');
    update();
  });
  afterEach(() => rmSync(place, { recursive: true }));

  it('copies folders and brings untouched files up to date', () => {
    writeFileSync(at('from', 'a.yaml'), 'second');
    writeFileSync(at('from', 'new.md'), 'new');
    update();
    expect([copied('a.yaml'), copied(path.join('data', 'b.jsonl')), copied('new.md')]).toEqual([
      'second',
      'tasks',
      'new',
    ]);
  });

  it('leaves what a person changed, removed or added', () => {
    writeFileSync(at('to', 'a.yaml'), 'mine');
    rmSync(at('to', 'data', 'b.jsonl'));
    writeFileSync(at('to', 'own.md'), 'mine too');
    writeFileSync(at('from', 'a.yaml'), 'second');
    writeFileSync(at('from', 'own.md'), 'theirs');
    update();
    update();
    expect([copied('a.yaml'), copied('own.md')]).toEqual(['mine', 'mine too']);
    expect(existsSync(at('to', 'data', 'b.jsonl'))).toBe(false);
  });

  it('starts anew when the whole copy was removed', () => {
    rmSync(at('to'), { recursive: true });
    update();
    expect(copied('a.yaml')).toBe('first');
  });
});
