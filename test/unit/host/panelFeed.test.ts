import { describe, expect, test } from 'vitest';
import type { StoredEvent } from '../../../src/core/model/event.ts';
import { asId } from '../../../src/core/model/ids.ts';
import type { EvaluationDetail, RunSummary } from '../../../src/core/model/views.ts';
import { createEngineLink } from '../../../src/host/engineLink.ts';
import { PanelFeed } from '../../../src/host/panel/panelFeed.ts';
import { createReadModels } from '../../../src/host/readModels.ts';
import type { RunEstimate } from '../../../src/core/model/estimate.ts';
import type { RecipeDescription } from '../../../src/core/model/recipeView.ts';
import { readPanelMessage, type PanelMessage } from '../../../src/protocol/panel.ts';
import { firstView, receive, type View } from '../../../webview/panelState.ts';
import { at, evaluationOf, interval, runId, runOf, stored, taskOf } from './builders.ts';
import { fakeEngine, settle } from './fakeEngine.ts';

const description: RecipeDescription = {
  name: 'star',
  objective: 'addition',
  settings: [],
  steps: [],
  control: null,
  problems: [],
};

const estimated: RunEstimate = {
  calls: { low: 100, high: 120 },
  inputTokens: { low: 1_000, high: 2_000 },
  outputTokens: { low: 500, high: 900 },
  usd: null,
  ms: null,
  measured: 0,
  cap: null,
};

const round = (number: number) => ({ kind: 'roundStarted' as const, at: at(number) });
const evaluated = (number: number, mean: number) => ({
  kind: 'evaluationMade' as const,
  evaluationId: asId<never>('evaluation1'),
  candidateId: asId<never>('candidate1'),
  suite: 'dev' as const,
  tasks: 500,
  mean,
  interval: interval(mean, mean),
  showcase: [],
  digest: asId<never>('d'),
  at: at(number, 'evaluate'),
});

function setUp(
  options: {
    runs?: RunSummary[];
    events?: StoredEvent[];
    detail?: EvaluationDetail | null;
    estimate?: () => Promise<RunEstimate>;
  } = {},
) {
  const runs = options.runs ?? [runOf({ status: 'running' })];
  const events = options.events ?? stored([round(1)]);
  /** Called while the events are being read, as the engine would go on meanwhile. */
  const hooks = { whileReading: (): void => undefined };
  const engine = fakeEngine({
    'ratchet/recipe/describe': () => description,
    'ratchet/runs': () => runs,
    'ratchet/events': ({
      afterSeq,
      limit,
      runId: wanted,
    }: {
      afterSeq: number;
      limit: number;
      runId: string;
    }) => {
      const page = events.filter((event) => event.seq > afterSeq && event.runId === wanted).slice(0, limit);
      hooks.whileReading();
      return page;
    },
    'ratchet/recipe/estimate': options.estimate ?? (async () => estimated),
    'ratchet/evaluations': () => [],
    'ratchet/candidates': () => [],
    'ratchet/evaluation': () => options.detail ?? null,
  });
  const link = createEngineLink({
    connect: async () => engine.connection,
    now: () => 0,
    log: () => undefined,
  });
  const models = createReadModels(link, async () => true);
  const posted: PanelMessage[] = [];
  const feed = new PanelFeed({
    link,
    models,
    recipePath: 'star.loop.yaml',
    text: () => '',
    trusted: () => true,
    show: null,
    post: (message) => posted.push(message),
  });
  return { engine, link, models, feed, posted, hooks, runs, events };
}

/** The panel's view after the messages, asking for nothing. */
function viewOf(messages: readonly PanelMessage[]): { view: View; gaps: number } {
  let view = firstView;
  let gaps = 0;
  for (const message of messages) {
    const read = readPanelMessage(structuredClone(message));
    if (read === null) throw new Error(`the panel does not take ${JSON.stringify(message)}`);
    const received = receive(view, read);
    view = received.view;
    if (received.gap) gaps += 1;
  }
  return { view, gaps };
}

describe('what a panel is told', () => {
  test('a first snapshot says that the engine is being looked for, the next one has everything', async () => {
    const { feed, posted, link } = setUp();
    await feed.snapshot();
    expect(posted.slice(0, 2).map((message) => message.type)).toEqual(['snapshot', 'snapshot']);
    expect(posted[0]).toMatchObject({ state: { engine: { kind: 'connecting' }, shown: null } });
    expect(link.state().kind).toBe('open');
    const { view } = viewOf(posted);
    expect(view.panel?.recipe.description?.name).toBe('star');
    expect(view.panel?.shown?.model.main.round).toBe(1);
  });

  test('events that come while the snapshot is put together are not lost', async () => {
    const { feed, posted, hooks, events } = setUp();
    const late = stored([round(2), evaluated(2, 0.5)], events.length + 1);
    hooks.whileReading = () => feed.onEvents(late);
    await feed.snapshot();
    await settle();
    const { view, gaps } = viewOf(posted);
    expect(gaps).toBe(0);
    expect(view.panel?.shown?.model.main.round).toBe(2);
    expect(view.panel?.shown?.model.main.points.map((point) => point.mean)).toEqual([0.5]);
  });

  test('an event is sent once, however often it is reported', async () => {
    const { feed, posted, events } = setUp();
    await feed.snapshot();
    const news = stored([round(2)], events.length + 1);
    feed.onEvents(news);
    feed.onEvents([...events, ...news]);
    const sent = posted.flatMap((message) =>
      message.type === 'change' && message.change.kind === 'events' ? message.change.events : [],
    );
    expect(sent.map((event) => event.seq)).toEqual([2]);
  });

  test('nothing is sent while the panel is hidden, and a new snapshot has what was missed', async () => {
    const { feed, posted, events } = setUp();
    await feed.snapshot();
    feed.sleep();
    const before = posted.length;
    const news = stored([round(2)], events.length + 1);
    events.push(...news);
    feed.onEvents(news);
    feed.change({ kind: 'refusal', message: 'x' });
    expect(posted.length).toBe(before);
    await feed.snapshot();
    const { view, gaps } = viewOf(posted.slice(before));
    expect(gaps).toBe(0);
    expect(view.panel?.shown?.model.main.round).toBe(2);
  });

  test('events of other runs are not for this panel', async () => {
    const { feed, posted } = setUp();
    await feed.snapshot();
    await settle();
    const before = posted.length;
    feed.onEvents([{ seq: 9, runId: asId('other'), time: 0, event: round(4) }]);
    expect(posted.length).toBe(before);
  });

  test('a run begun anywhere is shown where its loop is open, an older one’s change is not', async () => {
    const { feed, posted, runs, models } = setUp();
    await feed.snapshot();
    const newer = runOf({ id: asId('run2'), startedAt: 50_000, status: 'running', round: 0 });
    runs.push(newer);
    models.forgetAll();
    await feed.onRun(newer);
    await settle();
    expect(viewOf(posted).view.panel?.shown?.runId).toBe('run2');
    const count = posted.length;
    await feed.onRun(runOf({ status: 'stopped' }));
    expect(viewOf(posted).view.panel?.shown?.runId).toBe('run2');
    expect(posted.length).toBe(count + 1);
    await feed.onRun(runOf({ id: asId('x'), recipePath: 'other.loop.yaml', status: 'running' }));
    expect(posted.length).toBe(count + 1);
  });

  test('a later snapshot overtakes an earlier one under way', async () => {
    const { feed, posted, runs } = setUp();
    await feed.snapshot();
    runs.push(runOf({ id: asId('run2'), startedAt: 50_000 }));
    const before = posted.length;
    await Promise.all([feed.snapshot(runId), feed.snapshot(asId('run2'))]);
    expect(posted.length).toBe(before + 1);
    expect(posted.at(-1)).toMatchObject({ type: 'snapshot' });
  });

  test('an evaluation of the loop brings what it fixed and broke', async () => {
    const side = (score: number) => ({ score, output: `>${score}` });
    const { feed, posted, events } = setUp({
      detail: {
        summary: evaluationOf(),
        previous: evaluationOf({ id: asId('e0'), at: at(0) }),
        changed: [
          { task: taskOf({ id: asId('a') }), before: side(1), after: side(0) },
          { task: taskOf({ id: asId('b') }), before: side(0), after: side(1) },
        ],
      },
    });
    await feed.snapshot();
    feed.onEvents(stored([evaluated(1, 0.5)], events.length + 1));
    await settle();
    expect(viewOf(posted).view.panel?.shown?.changes).toMatchObject({
      better: 1,
      worse: 1,
      examples: [{ became: 'better' }, { became: 'worse' }],
    });
  });

  test('an engine of another version is looked at, not run', async () => {
    const { feed, posted, engine } = setUp();
    await feed.snapshot();
    const hello = { ...engine.connection.hello, version: '9.9.9', compatible: false };
    feed.onEngine({ kind: 'open', connection: { ...engine.connection, hello } });
    expect(viewOf(posted).view.panel?.engine).toMatchObject({
      kind: 'outdated',
      message: expect.stringContaining('9.9.9') as string,
    });
  });

  test('what a run would use is told after the snapshot, and anew when the text changes', async () => {
    const { feed, posted, engine } = setUp();
    await feed.snapshot();
    await settle();
    expect(viewOf(posted).view.panel?.estimate).toEqual({ kind: 'known', estimate: estimated });
    const before = engine.asked.filter((method) => method === 'ratchet/recipe/estimate').length;
    await feed.onText();
    expect(engine.asked.filter((method) => method === 'ratchet/recipe/estimate').length).toBe(before + 1);
  });

  test('an estimate that a newer one has overtaken is dropped, and one that fails says why', async () => {
    const first = Promise.withResolvers<RunEstimate>();
    const answers = [first.promise, Promise.reject(new Error('The file tasks.jsonl is not there.'))];
    answers[1]?.catch(() => undefined);
    const { feed, posted } = setUp({ estimate: () => answers.shift() ?? Promise.resolve(estimated) });
    await feed.snapshot();
    await feed.onText();
    await settle();
    const failed = { kind: 'failed', message: 'The file tasks.jsonl is not there.' };
    expect(viewOf(posted).view.panel?.estimate).toEqual(failed);
    first.resolve(estimated);
    await settle();
    expect(viewOf(posted).view.panel?.estimate).toEqual(failed);
  });

  test('an engine that fails is told in its sentence', async () => {
    const { feed, posted } = setUp();
    await feed.snapshot();
    feed.onEngine({ kind: 'failed', message: 'The disk is full.' });
    expect(viewOf(posted).view.panel?.engine).toEqual({ kind: 'failed', message: 'The disk is full.' });
  });
});
