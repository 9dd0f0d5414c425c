import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { EventBody, Position, StoredEvent } from '../../../src/core/model/event.ts';
import { asId } from '../../../src/core/model/ids.ts';
import {
  readPanelIntent,
  readPanelMessage,
  type PanelMessage,
  type PanelState,
} from '../../../src/protocol/panel.ts';
import { announcement } from '../../../webview/announcement.ts';
import { chartOf, roundTicks } from '../../../webview/curve.ts';
import { asked, firstView, readChoices, receive, type View } from '../../../webview/panelState.ts';
import { replyStretches } from '../../../webview/replyChange.ts';
import { emptyRun, foldEvents, keptIn, newest } from '../../../webview/runModel.ts';
import { shownRound, staysOf } from '../../../webview/views/solutionsView.ts';
import { phaseGroups } from '../../../webview/views/wheelView.ts';
import { at, interval, runId, runOf, stored } from '../host/builders.ts';

type Body = EventBody & { readonly at: Position };

const evaluated = (
  round: number,
  candidate: string,
  mean: number,
  outputs: readonly string[] = [],
  arm: 'main' | 'control' = 'main',
): Body => ({
  kind: 'evaluationMade',
  evaluationId: asId(`e${round}`),
  candidateId: asId(candidate),
  suite: 'dev',
  tasks: 500,
  mean,
  interval: interval(mean - 0.05, mean + 0.05),
  showcase: outputs.map((output, index) => ({
    taskId: asId(`t${index}`),
    input: '1+1',
    output,
    score: index,
  })),
  digest: asId('d'),
  at: at(round, 'evaluate', arm),
});
const decided = (round: number, accepted: boolean, candidate: string, other: string): Body => ({
  ...(accepted
    ? { kind: 'candidateAccepted', candidateId: asId(candidate), previous: asId(other) }
    : { kind: 'candidateRefused', candidateId: asId(candidate), inUse: asId(other) }),
  gain: null,
  reason: 'because',
  at: at(round, 'gate'),
});
const started: Body = {
  kind: 'runStarted',
  recipe: 'star',
  seed: 1,
  rounds: 3,
  arms: ['main', 'control'],
  at: at(0),
};

const bodies: readonly Body[] = [
  started,
  evaluated(0, 'c1', 0.1, ['>7', '>2']),
  evaluated(0, 'c1', 0.1, [], 'control'),
  { kind: 'roundStarted', at: at(1) },
  { kind: 'stepStarted', phase: 'acquire', operator: 'solve', at: at(1, 'solve') },
  {
    kind: 'solutionsAcquired',
    count: 768,
    failed: 2,
    finish: {},
    meanOutputTokens: 9,
    digest: asId('d'),
    at: at(1, 'solve'),
  },
  evaluated(1, 'c2', 0.6, ['1+1=2>2', '>2']),
  decided(1, true, 'c2', 'c1'),
  { kind: 'roundStarted', at: at(2) },
  evaluated(2, 'c3', 0.55, ['>3', '>2']),
  decided(2, false, 'c3', 'c2'),
];

describe('the fold of a run', () => {
  const model = foldEvents(emptyRun, stored(bodies));

  test('the curve follows the candidate in use: a refused one does not pull it down', () => {
    expect(model.main.points.map((point) => [point.round, point.mean])).toEqual([
      [0, 0.1],
      [1, 0.6],
      [2, 0.6],
    ]);
    expect(model.main.refused).toEqual([{ round: 2, mean: 0.55 }]);
    expect([0, 1, 2].map((round) => keptIn(model.main, round))).toEqual([null, true, false]);
  });

  test('a candidate counts only when it is decided on, or when the wheel goes on without a gate', () => {
    const undecided = foldEvents(emptyRun, stored(bodies.slice(0, 7)));
    expect(undecided.main.points.map((point) => point.mean)).toEqual([0.1]);
    const ungated = foldEvents(
      emptyRun,
      stored([...bodies.slice(0, 7), { kind: 'roundStarted', at: at(1, '', 'control') }]),
    );
    expect(ungated.main.points.map((point) => point.mean)).toEqual([0.1, 0.6]);
    const ended = foldEvents(
      emptyRun,
      stored([...bodies.slice(0, 7), { kind: 'runEnded', outcome: 'done', message: '', at: at(0) }]),
    );
    expect(ended.main.points.map((point) => point.mean)).toEqual([0.1, 0.6]);
  });

  test('the replies of a round are those of the candidate in use after it', () => {
    expect(model.main.showcases.get(2)?.map((item) => item.output)).toEqual(['1+1=2>2', '>2']);
  });

  test('one accepted candidate makes a round a kept one, whatever else was refused in it', () => {
    const both = foldEvents(
      emptyRun,
      stored([decided(1, false, 'c2', 'c1'), decided(1, true, 'c3', 'c1'), decided(1, false, 'c4', 'c3')]),
    );
    expect(keptIn(both.main, 1)).toBe(true);
  });

  test('a step’s result stands beside it until the next round of its arm begins', () => {
    const during = foldEvents(emptyRun, stored(bodies.slice(0, 8)));
    expect(during.main.notes.get('solve')?.text.replaceAll('\u00a0', ' ')).toBe(
      '768 solutions, 2 without an answer',
    );
    expect(model.main.notes.get('solve')).toBeUndefined();
    const made = (note: string): Body => ({
      kind: 'candidateMade',
      candidateId: asId(note),
      slot: 'instruction',
      note,
      at: at(1, 'update'),
    });
    const noteOf = (...events: Body[]) => foldEvents(emptyRun, stored(events)).main.notes.get('update')?.text;
    expect(noteOf(made('swapped phrase 2 and 3'))).toBe('swapped phrase 2 and 3');
    expect(noteOf(made('a'), made('b'), made('c'))?.replaceAll('\u00a0', ' ')).toBe('3 candidates');
  });

  test('any way to cut the events into batches, overlapping ones too, gives the same picture', () => {
    const events = stored(bodies);
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(events.length), fc.nat(4)), { maxLength: 6 }), (cuts) => {
        let pieced = emptyRun;
        let upTo = 0;
        for (const [end, overlap] of [...cuts].sort((left, right) => left[0] - right[0])) {
          pieced = foldEvents(pieced, events.slice(Math.max(0, upTo - overlap), end));
          upTo = Math.max(upTo, end);
        }
        pieced = foldEvents(pieced, events.slice(upTo));
        expect(pieced).toEqual(model);
      }),
    );
  });
});

describe('what the panel keeps of the messages', () => {
  const snapshot = (events: StoredEvent[] = stored(bodies)): PanelMessage => ({
    type: 'snapshot',
    n: 0,
    state: {
      recipe: { path: 'star.loop.yaml', description: null },
      engine: { kind: 'ready' },
      trusted: true,
      estimate: null,
      runs: [runOf()],
      shown: { runId, events, progress: null, changes: null, inUse: null },
    } satisfies PanelState,
  });
  const progress = (n: number, step = 'gate', round = 2): PanelMessage => ({
    type: 'change',
    n,
    change: {
      kind: 'progress',
      progress: {
        runId,
        at: at(round, step),
        phase: 'refine',
        operator: 'select',
        done: 1,
        total: 2,
        latest: [],
        remainingMs: null,
      },
    },
  });
  const after = (...messages: PanelMessage[]): { view: View; gap: boolean } => {
    let view = firstView;
    let gap = false;
    for (const message of messages) ({ view, gap } = receive(view, message));
    return { view, gap };
  };

  test('a change that is not the next one is not used, and asks for a snapshot', () => {
    const { view, gap } = after(snapshot(), progress(2));
    expect(gap).toBe(true);
    expect(view.n).toBe(0);
    expect(view.panel?.shown?.progress).toBeNull();
  });

  test('a change that was taken in already, or came before any snapshot, is passed over', () => {
    const once = after(snapshot(), progress(1));
    const twice = receive(once.view, progress(1));
    expect(twice).toEqual({ view: once.view, gap: false });
    expect(receive(firstView, progress(1))).toEqual({ view: firstView, gap: false });
  });

  test('a step’s progress goes when the next step’s events come', () => {
    const next: PanelMessage = {
      type: 'change',
      n: 2,
      change: {
        kind: 'events',
        events: stored(
          [{ kind: 'stepStarted', phase: 'update', operator: 'update', at: at(3, 'update') }],
          100,
        ),
      },
    };
    expect(after(snapshot(), progress(1)).view.panel?.shown?.progress).not.toBeNull();
    expect(after(snapshot(), progress(1), next).view.panel?.shown?.progress).toBeNull();
  });

  test('progress of another run is not shown', () => {
    const message = progress(1);
    if (message.type !== 'change' || message.change.kind !== 'progress') throw new Error('not progress');
    const other = {
      ...message,
      change: { ...message.change, progress: { ...message.change.progress, runId: asId<never>('x') } },
    };
    expect(after(snapshot(), other).view.panel?.shown?.progress).toBeNull();
  });

  test('what a person chose outlives a new snapshot of the same run, and odd stored choices do not', () => {
    const chosen: View = { ...after(snapshot()).view, choices: { round: 1, arm: 'control', taskId: 't1' } };
    expect(receive(chosen, snapshot()).view.choices).toEqual({ round: 1, arm: 'control', taskId: 't1' });
    expect(readChoices({ round: 'x', arm: 'other', taskId: 3 })).toEqual(firstView.choices);
    expect(readChoices(null)).toEqual(firstView.choices);
  });

  test('the newest cost is shown: an older summary does not take back what progress has told', () => {
    const cost = (calls: number) => ({
      ...{ calls, inputTokens: 10, outputTokens: 5, usd: 0.01, worstCaseCalls: 0, reused: 0, ms: 100 },
    });
    const told = (n: number, calls: number): PanelMessage => {
      const message = progress(n);
      if (message.type !== 'change' || message.change.kind !== 'progress') throw new Error('not progress');
      return {
        ...message,
        change: { ...message.change, progress: { ...message.change.progress, cost: cost(calls) } },
      };
    };
    const runs = (n: number, status: 'running' | 'paused', calls: number): PanelMessage => ({
      type: 'change',
      n,
      change: { kind: 'runs', runs: [runOf({ status, cost: cost(calls) })] },
    });
    const callsAfter = (...messages: PanelMessage[]) =>
      after(snapshot(), ...messages).view.panel?.shown?.cost?.calls;
    expect(callsAfter()).toBeUndefined();
    expect(callsAfter(told(1, 40), runs(2, 'running', 30))).toBe(40);
    expect(callsAfter(told(1, 40), runs(2, 'running', 50))).toBe(50);
    // What was in flight and never answered may be taken back once the run stands still.
    expect(callsAfter(told(1, 40), runs(2, 'paused', 38))).toBe(38);
  });

  test('a pause that was asked for is over when the run stands still or the pause was refused', () => {
    const runs = (n: number, status: 'running' | 'paused'): PanelMessage => ({
      type: 'change',
      n,
      change: { kind: 'runs', runs: [runOf({ status })] },
    });
    const pausing = asked(after(snapshot(), runs(1, 'running')).view, { type: 'pause' });
    expect(pausing.pausing).toBe(runId);
    expect(asked(pausing, { type: 'revealLine', line: 1 }).pausing).toBe(runId);
    expect(receive(pausing, runs(2, 'running')).view.pausing).toBe(runId);
    expect(receive(pausing, runs(2, 'paused')).view.pausing).toBeNull();
    const refusal: PanelMessage = { type: 'change', n: 2, change: { kind: 'refusal', message: 'No.' } };
    expect(receive(pausing, refusal).view.pausing).toBeNull();
  });

  test('what a resume found again and has to repeat is kept, the newest of several', () => {
    const resumed = (recovered: number, repeated?: number): Body => ({
      kind: 'runResumed',
      recovered,
      ...(repeated === undefined ? {} : { repeated }),
      at: at(0),
    });
    const resumedIn = (...events: Body[]) => foldEvents(emptyRun, stored(events)).resumed;
    expect(resumedIn(started)).toBeNull();
    expect(resumedIn(started, resumed(41, 2))).toEqual({ recovered: 41, repeated: 2 });
    expect(resumedIn(started, resumed(41, 2), resumed(90))).toEqual({ recovered: 90, repeated: 0 });
  });

  test('a screen reader is told rounds and the end, not steps', () => {
    const { view } = after(snapshot());
    expect(announcement(view.panel).replaceAll('\u00a0', ' ')).toBe('Run done, score 60.0 %.');
    expect(announcement(null)).toBe('');
  });
});

describe('the guards of both ends', () => {
  test('nothing but a known intent passes, and only its own fields', () => {
    fc.assert(
      fc.property(fc.anything(), (value) => {
        const read = readPanelIntent(value);
        if (read !== null) expect(readPanelIntent(read)).toEqual(read);
      }),
    );
    expect(readPanelIntent({ type: 'run', extra: 1 })).toEqual({ type: 'run' });
    expect(readPanelIntent({ type: 'set', field: 'rounds', value: 3, text: 'x' })).toEqual({
      type: 'set',
      field: 'rounds',
      value: 3,
    });
    for (const value of [
      { type: 'set', field: '__proto__', value: 1 },
      { type: 'set', field: 'rounds', value: NaN },
      { type: 'set', field: 'rounds', value: '3' },
      { type: 'show', runId: '' },
      { type: 'show', runId: 'x'.repeat(201) },
      { type: 'revealLine', line: 0 },
      { type: 'revealLine', line: 1.5 },
      { type: 'toString' },
      'run',
      null,
      [],
    ]) {
      expect(readPanelIntent(value)).toBeNull();
    }
  });

  test('what is not a whole message of the window is not taken', () => {
    fc.assert(
      fc.property(fc.anything(), (value) => {
        expect(readPanelMessage(value)).toBeNull();
      }),
    );
    expect(readPanelMessage({ type: 'snapshot', n: 1, state: {} })).toBeNull();
    expect(readPanelMessage({ type: 'change', n: 1, change: { kind: 'events', events: 'x' } })).toBeNull();
    expect(readPanelMessage({ type: 'change', n: 1, change: { kind: 'constructor' } })).toBeNull();
  });
});

describe('the curve', () => {
  test('the scale is 0 to 100 % whatever the scores, and rounds stand evenly', () => {
    const chart = chartOf(foldEvents(emptyRun, stored(bodies)), 640, 208);
    expect(chart.yTicks.map((tick) => tick.score)).toEqual([0, 0.25, 0.5, 0.75, 1]);
    expect(chart.yTicks.at(0)?.y).toBe(chart.plot.bottom);
    expect(chart.yTicks.at(-1)?.y).toBe(chart.plot.top);
    expect(chart.main.marks.map((mark) => mark.x)).toEqual([0, 1, 2].map(chart.xOf));
    expect(chart.xOf(3)).toBe(chart.plot.right);
    for (const round of [0, 1, 2, 3]) expect(chart.roundAt(chart.xOf(round))).toBe(round);
    expect(chart.roundAt(-100)).toBe(0);
    expect(chart.roundAt(9_999)).toBe(3);
  });

  test('a run without a point yet has no path and no fault', () => {
    const chart = chartOf(emptyRun, 280, 208);
    expect(chart.main.line).toBe('');
    expect(chart.xTicks.length).toBeGreaterThan(1);
    expect(newest(emptyRun.main)).toBeNull();
  });

  test('labels of rounds never crowd', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1000 }), fc.integer({ min: 80, max: 1200 }), (last, width) => {
        const ticks = roundTicks(last, width);
        expect(ticks[0]).toBe(0);
        expect(ticks.length).toBeLessThanOrEqual(Math.max(2, Math.floor(width / 36)));
      }),
    );
  });
});

describe('replies', () => {
  test('the stretches are the reply, cut between characters, and what is new is marked', () => {
    expect(replyStretches('>741', '3+6+0=09>749')).toEqual([{ text: '3+6+0=09>749', isNew: true }]);
    expect(replyStretches('>741', '>742')).toEqual([
      { text: '>74', isNew: false },
      { text: '2', isNew: true },
    ]);
    expect(replyStretches(null, 'a')).toEqual([{ text: 'a', isNew: false }]);
    expect(replyStretches('\ud83d\ude00', '\ud83d\ude01')).toEqual([{ text: '\ud83d\ude01', isNew: true }]);
    fc.assert(
      fc.property(fc.string(), fc.string(), (before, now) => {
        const stretches = replyStretches(before, now);
        expect(stretches.map((stretch) => stretch.text).join('')).toBe(now);
        expect(stretches.every((stretch) => stretch.text !== '')).toBe(true);
      }),
    );
  });

  test('rounds that changed nothing are one entry, and a later return is an entry of its own', () => {
    const { main } = foldEvents(
      emptyRun,
      stored([
        evaluated(0, 'a', 0, ['x']),
        evaluated(1, 'b', 0, ['x']),
        evaluated(2, 'c', 0, ['y']),
        evaluated(3, 'd', 0, ['x']),
        { kind: 'runEnded', outcome: 'done', message: '', at: at(0) },
      ]),
    );
    expect(staysOf(main, 't0').map(({ from, to, before }) => [from, to, before])).toEqual([
      [0, 1, null],
      [2, 2, 'x'],
      [3, 3, 'y'],
    ]);
    expect(shownRound(main, null)).toBe(3);
    expect(shownRound(main, 2)).toBe(2);
    expect(shownRound(emptyRun.main, 2)).toBeNull();
  });
});

test('the wheel keeps the order of the steps: a phase may come twice', () => {
  const step = (phase: string, path: string) => ({ phase, path, operator: path, detail: '' });
  const groups = phaseGroups([
    step('acquire', 'a'),
    step('acquire', 'b'),
    step('refine', 'c'),
    step('evaluate', 'd'),
    step('refine', 'e'),
  ]);
  expect(groups.map((group) => [group.phase, group.steps.length])).toEqual([
    ['acquire', 2],
    ['refine', 1],
    ['evaluate', 1],
    ['refine', 1],
  ]);
});
