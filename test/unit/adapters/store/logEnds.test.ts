/** Frames behind the first that does not follow: which end commits that are missing, and which only look so after a crash. */
import { describe, expect, test } from 'vitest';
import { makeHeader, readLog } from '../../../../src/adapters/store/logFile.ts';
import { type Random, stream } from '../../../../src/core/measure/random.ts';
import { memoryFiles } from '../../../store/memoryFiles.ts';

const PAGE = 4096;
const FRAME = PAGE + 24;
const HEADER = 32;
const SECTOR = 512;
/** Its first 8 bytes end a sector; every 64th after it is the same. */
const SPLIT = 41;
const frameAt = (index: number): number => HEADER + index * FRAME;

interface Frame {
  readonly page: number;
  /** Of the database, where the frame ends a commit; else 0. */
  readonly size: number;
  readonly content: Uint8Array;
}

/** A log as https://www.sqlite.org/fileformat2.html#walformat has it, with checksums of big-endian words. */
function logOf(frames: readonly Frame[], salt: number): Uint8Array {
  const log = new Uint8Array(frameAt(frames.length));
  const view = new DataView(log.buffer);
  const add = ([first, second]: readonly [number, number], from: number, to: number): [number, number] => {
    let sums: [number, number] = [first, second];
    for (let at = from; at < to; at += 8) {
      const one = (sums[0] + view.getUint32(at) + sums[1]) >>> 0;
      sums = [one, (sums[1] + view.getUint32(at + 4) + one) >>> 0];
    }
    return sums;
  };
  log.set(makeHeader(7, salt, PAGE));
  view.setUint32(0, 0x377f0683);
  let sums = add([0, 0], 0, 24);
  view.setUint32(24, sums[0]);
  view.setUint32(28, sums[1]);
  for (const [index, { page, size, content }] of frames.entries()) {
    const at = frameAt(index);
    view.setUint32(at, page);
    view.setUint32(at + 4, size);
    log.copyWithin(at + 8, 16, 24);
    log.set(content, at + 24);
    sums = add(add(sums, at, at + 8), at + 24, at + FRAME);
    view.setUint32(at + 16, sums[0]);
    view.setUint32(at + 20, sums[1]);
  }
  return log;
}

/** `ends` are the last frames of commits. With `lasting`, half of each page is the same in every log, as rows that stay are. */
function framesOf(random: Random, count: number, ends: readonly number[], lasting = false): readonly Frame[] {
  return Array.from({ length: count }, (_, index) => ({
    page: 10 + (index % 7),
    size: ends.includes(index) ? 44 : 0,
    content: Uint8Array.from({ length: PAGE }, (__, at) =>
      !lasting || at < PAGE / 2 ? random.int(256) : (index * 31 + at) % 256,
    ),
  }));
}

function read(log: Uint8Array) {
  const { files } = memoryFiles({ initial: new Map([['/log', log]]) });
  const { commits, commitsBehind } = readLog('/log', PAGE, files);
  return { commits, commitsBehind };
}

describe('a frame whose first bytes are in another sector than its salts', () => {
  const random = stream(1, 'log ends');
  const UNSYNCED_FROM = 36;
  const END = 48;
  const logs = (lasting: boolean) => ({
    older: logOf(framesOf(random, 60, [20, SPLIT, 59], lasting), 1),
    newer: logOf(framesOf(random, END + 1, [10, UNSYNCED_FROM - 1, END], lasting), 2),
  });
  /** The newer over the older log, but for the sectors of the commit in the making that did not arrive. */
  const torn = (
    { older, newer }: ReturnType<typeof logs>,
    isLost: (sector: number) => boolean,
  ): Uint8Array => {
    const log = older.slice();
    log.set(newer);
    for (let at = frameAt(UNSYNCED_FROM); at < newer.length; ) {
      const next = Math.min(newer.length, (Math.floor(at / SECTOR) + 1) * SECTOR);
      if (isLost(Math.floor(at / SECTOR))) log.set(older.subarray(at, next), at);
      at = next;
    }
    return log;
  };
  const flag = Math.floor(frameAt(SPLIT) / SECTOR);

  test('is where it is thought to be', () => {
    expect((frameAt(SPLIT) + 8) % SECTOR).toBe(0);
    expect(read(logs(false).newer)).toEqual({ commits: 3, commitsBehind: 0 });
  });

  test.each([false, true])('ends no commit where an earlier log says so, lasting rows: %s', (lasting) => {
    const log = torn(logs(lasting), (sector) => sector === flag);
    expect(new DataView(log.buffer).getUint32(frameAt(SPLIT) + 4)).toBe(44);
    expect(read(log)).toEqual({ commits: 2, commitsBehind: 1 });
  });

  test('makes no two ends of one commit, whatever a crash left of it', () => {
    const both = logs(false);
    for (let draw = 0; draw < 400; draw++) {
      const share = random.unit() ** 3;
      const log = torn(both, (sector) => sector === flag || random.unit() < share);
      const { commits, commitsBehind } = read(log);
      expect(commits).toBe(2);
      expect(commitsBehind).toBeLessThanOrEqual(1);
    }
  });

  test('that ends a commit is missed by no bit that flips in it or before it', () => {
    const whole = logOf(framesOf(random, 50, [20, SPLIT, 49]), 3);
    const places = [SPLIT - 2, SPLIT - 1, SPLIT].flatMap((index) =>
      Array.from({ length: 400 }, (_, draw) => frameAt(index) + (draw < 24 ? draw : random.int(FRAME))),
    );
    // Salts and size of the end itself say whether it is one.
    const says = (at: number): boolean => at >= frameAt(SPLIT) + 8 && at < frameAt(SPLIT) + 16;
    for (const at of places.filter((place) => !says(place))) {
      const log = whole.slice();
      log[at] = (log[at] ?? 0) ^ (1 << random.int(8));
      const { commits, commitsBehind } = read(log);
      expect(commits).toBe(1);
      expect(commitsBehind, `byte ${at - frameAt(SPLIT)} of it`).toBeGreaterThanOrEqual(2);
    }
  });
});
