/** A file of answers is read no faster than its answers are taken. */
import { Readable } from 'node:stream';
import { expect, test } from 'vitest';
import { channel } from '../../../../src/adapters/models/channel.ts';
import { onAbort } from '../../../../src/adapters/models/onAbort.ts';
import { readLines } from '../../../../src/adapters/models/readBody.ts';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('a channel has room again once its consumer has taken enough', async () => {
  const items = channel<number>();
  for (let item = 0; item < 5; item++) items.send(item);
  expect(items.room(6)).toBeNull();
  const room = items.room(3);
  let made = false;
  void room?.then(() => (made = true));
  items.close();
  const seen: [number, boolean][] = [];
  for await (const item of items) {
    await turn();
    seen.push([item, made]);
  }
  expect(seen).toEqual([
    [0, false],
    [1, false],
    [2, false],
    [3, true],
    [4, true],
  ]);
});

test('lines wait in the body while what they were given to is full', async () => {
  const pieces = Array.from({ length: 20 }, (_, index) => Buffer.from(`{"line":${index}}\n`));
  const came: number[] = [];
  let free = Promise.withResolvers<void>();
  const reading = readLines(
    Readable.from(pieces),
    '',
    1_000,
    (line) => {
      came.push((line as { line: number }).line);
      return came.length % 5 === 0 ? free.promise : null;
    },
    () => undefined,
  );
  for (const expected of [5, 10, 15]) {
    for (let turns = 0; turns < 20; turns++) await turn();
    expect(came).toHaveLength(expected);
    const { resolve } = free;
    free = Promise.withResolvers<void>();
    resolve();
  }
  for (let turns = 0; turns < 20; turns++) await turn();
  free.resolve();
  expect(await reading).toBe(20);
  expect(came).toEqual(pieces.map((_, index) => index));
});

test('an abort is heard by all who listen still, and by nobody who has stopped', () => {
  const { signal, abort } = ((controller) => ({
    signal: controller.signal,
    abort: () => controller.abort(),
  }))(new AbortController());
  const heard: string[] = [];
  const deaf = onAbort(signal, () => heard.push('first'));
  onAbort(signal, () => heard.push('second'));
  const same = () => heard.push('same');
  onAbort(signal, same);
  onAbort(signal, same);
  deaf();
  abort();
  abort();
  expect(heard).toEqual(['second', 'same', 'same']);
});
