// Owns how long a test waits for what must come to be: long beside what it takes, short beside a test's own limit.
import { expect } from 'vitest';

/** Reads again and again until the assertion that follows holds. */
export const eventually = <T>(read: () => T) => expect.poll(read, { timeout: 40_000, interval: 200 });
