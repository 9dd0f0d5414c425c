// Owns measuring whether a window stutters: frames that came late and long tasks in the window itself, and how long the
// thread of its extension host was held up (by the probe extension). Says what was measured; a test judges.
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { Page } from 'playwright-core';

export type Frames = {
  readonly seconds: number;
  readonly frames: number;
  /** Milliseconds between two frames, in order. */
  readonly longest: readonly number[];
  /** Milliseconds of tasks that held up the window for over 50. */
  readonly longTasks: readonly number[];
  /** The longest tasks of any window by what they computed, in milliseconds: a busy machine does not lengthen them. */
  readonly computed: readonly number[];
};

export type Host = {
  /** Milliseconds the event loop was late. */
  readonly loop: { readonly p50: number; readonly p99: number; readonly max: number };
  /** The longest turn by the clock, and the longest by what the thread itself computed, both in milliseconds. */
  readonly wall: number;
  readonly computed: number;
  /** The longest stretches in which the extension's own code was on the stack, in milliseconds of computing. */
  readonly own: readonly { readonly ms: number; readonly by: string }[];
  readonly samples: number;
};

export type Stutter = { readonly frames: Frames; readonly host: Host };

type Recorder = { end: () => Omit<Frames, 'computed'> };

/** Milliseconds from one frame to the next, and long tasks, from now on. */
function recordFrames(): void {
  const began = performance.now();
  const gaps: number[] = [];
  const longTasks: number[] = [];
  const observer = new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) longTasks.push(Math.round(entry.duration));
  });
  observer.observe({ type: 'longtask' });
  let last = began;
  let stopped = false;
  const frame = (now: number): void => {
    gaps.push(now - last);
    last = now;
    if (!stopped) requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
  const sorted = (values: readonly number[]) => [...values].sort((one, other) => other - one);
  (window as unknown as { recorder: Recorder }).recorder = {
    end: () => {
      stopped = true;
      observer.disconnect();
      return {
        seconds: (performance.now() - began) / 1000,
        frames: gaps.length,
        longest: sorted(gaps)
          .slice(0, 5)
          .map((gap) => Math.round(gap)),
        longTasks: sorted(longTasks).slice(0, 5),
      };
    },
  };
}

/** The probe of the window opened last; those of windows opened before it are in `known`. */
export async function findProbe(folder: string, known: readonly string[]): Promise<string> {
  for (let waited = 0; waited < 30_000; waited += 100) {
    const found = readdirSync(folder).filter((name) => name.endsWith('.address') && !known.includes(name));
    const newest = found[0];
    if (newest !== undefined) {
      const address = readFileSync(path.join(folder, newest), 'utf8');
      if (address !== '') return address;
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error('The probe extension did not start.');
}

async function ask(probe: string, what: 'begin' | 'end'): Promise<unknown> {
  const response = await fetch(`${probe}/${what}`);
  if (!response.ok) throw new Error(`The probe failed: ${await response.text()}`);
  return response.json();
}

/** What happened in a window and its extension host while `work` was done in it. */
export async function measureStutter(page: Page, probe: string, work: () => Promise<void>): Promise<Stutter> {
  const browser = page.context().browser();
  if (browser === null) throw new Error('The window has no browser.');
  await ask(probe, 'begin');
  await page.evaluate(recordFrames);
  await browser.startTracing(page, { categories: ['toplevel', '__metadata'] });
  const failure = await work().then(
    () => null,
    (error: unknown) => ({ error }),
  );
  const trace = await browser.stopTracing();
  const frames = await page.evaluate(() => (window as unknown as { recorder: Recorder }).recorder.end());
  const host = (await ask(probe, 'end')) as Host;
  if (failure !== null) throw failure.error;
  return { frames: { ...frames, computed: longestTasks(trace) }, host };
}

type TraceEvent = {
  readonly name: string;
  readonly ph: string;
  readonly pid: number;
  readonly tid: number;
  /** Microseconds the thread computed. */
  readonly tdur?: number;
  readonly args?: { readonly name?: string };
};

/** Milliseconds the longest tasks of the windows' main threads computed. */
function longestTasks(trace: Buffer): readonly number[] {
  const { traceEvents } = JSON.parse(trace.toString('utf8')) as { traceEvents: readonly TraceEvent[] };
  const isMain = new Set(
    traceEvents
      .filter(({ name, args }) => name === 'thread_name' && args?.name === 'CrRendererMain')
      .map(({ pid, tid }) => `${pid} ${tid}`),
  );
  return traceEvents
    .filter(({ ph, pid, tid, tdur }) => ph === 'X' && tdur !== undefined && isMain.has(`${pid} ${tid}`))
    .map(({ tdur = 0 }) => tdur / 1000)
    .sort((one, other) => other - one)
    .slice(0, 5);
}

const list = (values: readonly number[]): string =>
  values.map((value) => value.toFixed(0)).join(', ') || 'none';

export function sayStutter(name: string, { frames, host }: Stutter): string {
  const own = host.own.map(({ ms, by }) => `${by} ${ms.toFixed(1)}`).join(', ') || 'none';
  return [
    `${name}: ${frames.frames} frames in ${frames.seconds.toFixed(1)} s, longest gaps ${list(frames.longest)} ms, long tasks ${list(frames.longTasks)} ms, computed at most ${list(frames.computed)} ms;`,
    `extension host late p50 ${host.loop.p50.toFixed(1)}, p99 ${host.loop.p99.toFixed(1)}, max ${host.loop.max.toFixed(1)} ms,`,
    `longest turn ${host.wall.toFixed(1)} ms by the clock, ${host.computed.toFixed(1)} ms computed; own code at a stretch: ${own} ms`,
  ].join(' ');
}
