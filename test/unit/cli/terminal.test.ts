import { expect, test } from 'vitest';
import { createTerminal } from '../../../src/cli/terminal.ts';

/** What a screen of one growing line would show: a carriage return and an erase clear the last line. */
function screen() {
  const lines = [''];
  const write = (text: string) => {
    for (const part of text.split(/(\n|\r\u001b\[2K)/)) {
      if (part === '\n') lines.push('');
      else if (part.startsWith('\r')) lines[lines.length - 1] = '';
      else lines[lines.length - 1] += part;
    }
  };
  return { lines, write };
}

test('the progress line stays below what is printed and is gone at the end', () => {
  const { lines, write } = screen();
  const terminal = createTerminal({ write }, { write, isTTY: true, columns: 20 });
  terminal.progress('round 1');
  terminal.print('first');
  expect(lines).toEqual(['first', 'round 1']);
  terminal.progress('a line that is longer than the terminal');
  expect(lines.at(-1)).toBe('a line that is long');
  terminal.say('second');
  terminal.progress('');
  expect(lines).toEqual(['first', 'second', '']);
});

test('a terminal of unknown width still shows progress', () => {
  const { lines, write } = screen();
  createTerminal({ write }, { write, isTTY: true, columns: 0 }).progress('round 1');
  expect(lines).toEqual(['round 1']);
});

test('without a terminal there is no progress and no control character', () => {
  let text = '';
  const stream = { write: (part: string) => (text += part) };
  const terminal = createTerminal(stream, stream);
  terminal.progress('round 1');
  terminal.print('result');
  terminal.progress('');
  expect(text).toBe('result\n');
});
