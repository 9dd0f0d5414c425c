import { readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { StoreError } from '../../../src/core/ports.ts';
import { openLog } from '../../../src/engine/log.ts';
import { cleanUp, newFolder } from './helpers.ts';

afterEach(cleanUp);

test('one line an entry, with the names of errors and their causes', () => {
  const file = path.join(newFolder(), 'engine.log');
  const log = openLog(file);
  log.info('started', { version: '1' });
  log.error('first\nsecond', new StoreError('no space', 'ENOSPC', { cause: new Error('write failed') }));
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
  expect(lines).toHaveLength(2);
  expect(lines[1]).toMatch(/error first \| second .*StoreError.*no space.*ENOSPC.*write failed/);
});

test('neither prompts nor outputs nor keys', () => {
  const file = path.join(newFolder(), 'engine.log');
  const log = openLog(file, { OPENAI_API_KEY: 'sk-canary-123456', PATH: '/usr/bin' });
  log.warn('call failed', {
    prompt: 'canary-prompt',
    output: 'canary-output',
    messages: ['canary-message'],
    request: { content: 'canary-nested' },
    status: 401,
  });
  log.error('refused', new Error('401 for sk-canary-123456'));
  log.info(`asked with sk-canary-123456`, 'canary text '.repeat(100));
  const text = readFileSync(file, 'utf8');
  expect(text).not.toMatch(/canary-/);
  expect(text).toContain('"status":401');
  expect(text).toContain('401 for ***');
  expect(text.length).toBeLessThan(2_000);
});

test('two files of about a megabyte at most', () => {
  const file = path.join(newFolder(), 'engine.log');
  const log = openLog(file);
  for (let entry = 0; entry < 12_000; entry++) log.info(`entry ${entry}`, 'x'.repeat(250));
  expect(statSync(file).size).toBeLessThan(1_001_000);
  expect(statSync(`${file}.1`).size).toBeLessThan(1_001_000);
  expect(readFileSync(file, 'utf8')).toContain('entry 11999');
});

test('a log that cannot be written stops nothing', () => {
  const log = openLog(path.join(newFolder(), 'missing', 'engine.log'));
  expect(() => log.error('anything', new Error('x'))).not.toThrow();
});
