import { describe, expect, test, vi } from 'vitest';
import { asId } from '../../../src/core/model/ids.ts';
import { judgementOf, readScore, toggleVerdict } from '../../../src/host/annotation.ts';
import { neighbour } from '../../../src/host/neighbours.ts';
import { createReadModels } from '../../../src/host/readModels.ts';
import { createRunBoard, currentRun, type BoardChange } from '../../../src/host/runBoard.ts';
import { throttle } from '../../../src/host/throttle.ts';
import { panelHtml } from '../../../src/host/panel/panelHtml.ts';
import { annotationOf, experienceDetailOf, experienceOf, runId, runOf } from './builders.ts';
import { fakeEngine } from './fakeEngine.ts';

describe('judging by hand', () => {
  const none = judgementOf(null);
  const accepted = judgementOf(annotationOf({ verdict: 'accept', note: 'good' }));

  test('a verdict is set on all, and taken back where all have it', () => {
    expect(toggleVerdict([none, accepted], 'accept').map((judgement) => judgement.verdict)).toEqual([
      'accept',
      'accept',
    ]);
    expect(toggleVerdict([accepted, accepted], 'accept').map((judgement) => judgement.verdict)).toEqual([
      null,
      null,
    ]);
    expect(toggleVerdict([accepted], 'reject')).toEqual([{ verdict: 'reject', score: null, note: 'good' }]);
  });

  test.each([
    ['0.8', 0.8],
    ['80 %', 0.8],
    ['80%', 0.8],
    [' 1 ', 1],
    ['0,5', 0.5],
    ['', null],
  ])('"%s" is a score', (text, score) => {
    expect(readScore(text)).toEqual({ score });
  });

  test.each(['2', '-1', '101 %', 'x', '0.5.1', '1e9', 'NaN'])('"%s" is none', (text) => {
    expect(readScore(text)).toBeTypeOf('string');
  });
});

describe('the next experience', () => {
  const page = (names: readonly string[], next: string | null) => ({
    items: names.map((name) => experienceOf({ solutionId: asId(name) })),
    next,
  });
  const models = {
    experiencePage: async (_filter: unknown, after: string | null) =>
      after === null ? page(['a', 'solution1'], 'more') : page(['c', 'd'], null),
  };
  test('is found over the end of a page, and there is none beyond either end', async () => {
    const detail = experienceDetailOf();
    const of = (id: string) => ({ ...detail, solution: { ...detail.solution, id: asId<never>(id) } });
    expect((await neighbour(models, detail, 1))?.solutionId).toBe('c');
    expect((await neighbour(models, of('c'), -1))?.solutionId).toBe('solution1');
    expect(await neighbour(models, of('a'), -1)).toBeNull();
    expect(await neighbour(models, of('d'), 1)).toBeNull();
    expect(await neighbour(models, of('unknown'), 1)).toBeNull();
  });
});

describe('what was read of the engine', () => {
  function setUp(wanted: boolean, connects = true) {
    const engine = fakeEngine({
      'ratchet/runs': () => [runOf()],
      'ratchet/run': () => null,
      'ratchet/candidates': () => [],
    });
    const starts: string[] = [];
    const link = {
      connect: async (start: string) => {
        starts.push(start);
        return connects ? engine.connection : null;
      },
      request: engine.connection.request.bind(engine.connection),
    };
    return { engine, starts, models: createReadModels(link, async () => wanted) };
  }

  test('a question is asked once until something of its run happens', async () => {
    const { models, engine } = setUp(true);
    await models.candidates(runId);
    await models.candidates(runId);
    expect(engine.asked).toEqual(['ratchet/candidates']);
    models.forgetRun(asId('other'));
    await models.candidates(runId);
    expect(engine.asked.length).toBe(1);
    models.forgetRun(runId);
    await models.candidates(runId);
    expect(engine.asked.length).toBe(2);
  });

  test('where nothing was ever run no engine is started to list runs', async () => {
    const { models, starts, engine } = setUp(false, false);
    expect(await models.runs()).toEqual([]);
    expect(starts).toEqual(['never']);
    expect(engine.asked).toEqual([]);
  });

  test('a failure is told and not kept', async () => {
    let fail = true;
    const link = {
      connect: async () => null,
      request: async () => {
        if (fail) throw new Error('no');
        return [] as never;
      },
    };
    const models = createReadModels(link, async () => true);
    await expect(models.candidates(runId)).rejects.toThrow('no');
    fail = false;
    expect(await models.candidates(runId)).toEqual([]);
  });
});

describe('the board of runs', () => {
  test('a running run comes before a paused one, whichever is newer', () => {
    const paused = runOf({ id: asId('p'), status: 'paused', startedAt: 9 });
    const running = runOf({ id: asId('r'), status: 'running', startedAt: 1 });
    expect(currentRun([paused, running])?.id).toBe('r');
    expect(currentRun([paused])?.id).toBe('p');
    expect(currentRun([runOf()])).toBeNull();
  });

  test('a run is news once, when it stops running', async () => {
    let runs = [runOf({ status: 'running' })];
    const changes: BoardChange[] = [];
    const board = createRunBoard({ runs: async () => runs });
    board.onChange((change) => changes.push(change));
    await board.refresh();
    runs = [runOf({ status: 'done' })];
    await board.refresh();
    await board.refresh();
    expect(changes.map((change) => change.settled.length)).toEqual([0, 1, 0]);
    expect(changes.map((change) => change.anyRunning)).toEqual([true, false, false]);
  });
});

test('what comes in bursts is done at once and then together', () => {
  vi.useFakeTimers();
  try {
    let done = 0;
    const often = throttle(100, () => {
      done += 1;
    });
    for (let index = 0; index < 5; index += 1) often.ask();
    expect(done).toBe(1);
    vi.advanceTimersByTime(100);
    expect(done).toBe(2);
    vi.advanceTimersByTime(1_000);
    expect(done).toBe(2);
    often.ask();
    often.ask();
    often.end();
    vi.advanceTimersByTime(1_000);
    expect(done).toBe(3);
  } finally {
    vi.useRealTimers();
  }
});

test('the panel’s page runs its own script only, and fetches nothing', () => {
  const html = panelHtml({
    cspSource: 'https://own',
    script: 'https://own/webview.js',
    style: 'https://own/webview.css',
    nonce: 'abc',
  });
  expect(html).toContain(`content="default-src 'none'; style-src https://own; script-src 'nonce-abc'"`);
  expect(html.match(/<script/g)).toEqual(['<script']);
  expect(html).not.toMatch(/ style=| on\w+=|unsafe-/);
});
