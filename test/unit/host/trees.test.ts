import { describe, expect, test } from 'vitest';
import { asId } from '../../../src/core/model/ids.ts';
import type { ReadModels } from '../../../src/host/readModels.ts';
import { rowsAffectedBy, rowsAffectedByRun } from '../../../src/host/trees/affectedRows.ts';
import { annotatedRows } from '../../../src/host/trees/annotatedRows.ts';
import { candidateNodes, refusedNodes } from '../../../src/host/trees/candidatesTree.ts';
import { changedTaskNodes, changeNodes, evaluationNodes } from '../../../src/host/trees/evaluationsTree.ts';
import { experienceNodes, verdictNodes } from '../../../src/host/trees/experiencesTree.ts';
import { phaseNodes, recipeNodes, roundNodes, runNodes } from '../../../src/host/trees/loopsTree.ts';
import type { TreeNode } from '../../../src/host/trees/treeNode.ts';
import { treeSources } from '../../../src/host/trees/treeSources.ts';
import {
  annotationOf,
  at,
  candidateOf,
  candidateSummaryOf,
  detailOf,
  evaluationOf,
  experienceOf,
  interval,
  runId,
  runOf,
  shown,
  stored,
  taskOf,
} from './builders.ts';

const parent = { id: 'run:run1' } as TreeNode;

describe('Loops & Runs', () => {
  test('a loop file without runs stands beside one with runs, and one that is gone says so', () => {
    const rows = recipeNodes(
      ['a/new.loop.yaml', 'star.loop.yaml'],
      [runOf({ status: 'running' }), runOf({ id: asId('run2'), recipePath: 'old.loop.yml' })],
    );
    expect(shown(rows)).toEqual(['new | a', 'old | file is gone', 'star | running']);
    expect(rows.map((row) => row.children)).toEqual(['none', 'open', 'open']);
    expect(rows.map((row) => row.opening?.kind)).toEqual(['panel', undefined, 'panel']);
  });

  test('runs are numbered from the first of their loop and stand newest first', () => {
    const runs = [
      runOf({ id: asId('b'), startedAt: 20, status: 'paused', round: 2, testScore: null }),
      runOf({ id: asId('a'), startedAt: 10 }),
      runOf({ id: asId('c'), startedAt: 5, recipePath: 'other.loop.yaml' }),
    ];
    expect(shown(runNodes('star.loop.yaml', runs))).toEqual([
      'Run 2 | 90.0 % · round 2 of 5 · paused',
      'Run 1 | test 88.0 %',
    ]);
  });

  test('the control stands apart from the rounds of the loop', () => {
    expect(shown(roundNodes(parent, detailOf()))).toEqual([
      'Start | 10.0 % (5.0 to 20.0 %)',
      'Round 1 | 90.0 % (80.0 to 95.0 %)',
      'Control | 12.0 %',
    ]);
  });

  test('a phase with several steps opens to them, one with a single step does not', () => {
    const rows = phaseNodes(parent, detailOf(), 'main', 1);
    expect(rows.map((row) => [row.label, row.children])).toEqual([
      ['Acquire', 'closed'],
      ['Refine', 'none'],
      ['Evaluate', 'none'],
    ]);
  });
});

describe('Experiences', () => {
  const counts = [
    { arm: 'main', round: 1, verdict: 'kept', count: 250, annotated: 1 },
    { arm: 'main', round: 1, verdict: 'dropped', count: 20, annotated: 0 },
    { arm: 'control', round: 1, verdict: 'kept', count: 270, annotated: 0 },
  ] as const;

  test('groups show their own count, and the control says that nothing decided', () => {
    expect(shown(verdictNodes(parent, { runId, arm: 'main', round: 1 }, counts))).toEqual([
      'Kept | 250',
      'Dropped | 20',
    ]);
    expect(shown(verdictNodes(parent, { runId, arm: 'control', round: 1 }, counts))).toEqual([
      'Kept | 270 (without the deciding step)',
    ]);
  });

  test('a group asks for its own experiences, page by page as wanted', async () => {
    const asked: unknown[] = [];
    const models = {
      experienceCounts: async () => counts,
      experiencePage: async (filter: unknown, after: string | null) => {
        asked.push({ filter, after });
        return { items: [experienceOf({ solutionId: asId(`s${asked.length}`) })], next: `p${asked.length}` };
      },
    } as unknown as ReadModels;
    const source = treeSources({ models, loopFiles: async () => [], pagesWanted: () => 2, filter: () => '' })[
      'ratchet.experiences'
    ];
    const round = { id: 'run:run1/main:1', ref: { kind: 'round', runId, arm: 'main', round: 1 } } as TreeNode;
    const [kept] = await source.children(round);
    if (kept === undefined) throw new Error('no group of kept experiences');
    const rows = await source.children(kept);
    const filter = { runId, arm: 'main', round: 1, verdict: 'kept' };
    expect(asked).toEqual([
      { filter, after: null },
      { filter, after: 'p1' },
    ]);
    expect(rows.map((row) => row.context)).toEqual(['experience.open', 'experience.open', 'more']);
    expect(rows.at(-1)?.label).toBe('Load 100 More...');
  });

  test('a row says answer, score, reason and what a person said, and nothing hides in its text', () => {
    const [row] = experienceNodes(parent, runId, [
      {
        items: [
          experienceOf({
            input: 'a\u202eb\nc',
            score: 0,
            verdict: 'dropped',
            annotation: annotationOf({ verdict: 'accept', score: 0.8 }),
          }),
        ],
        next: null,
      },
    ]);
    expect(row?.label).toBe('a\\u{202E}b \u21b5 c \u2192 46');
    expect(row?.description).toBe('accepted by you, scored 80.0\u00a0% by you · equal to the reference');
    expect(row?.context).toBe('experience.accept');
    expect(row?.spoken).toContain('dropped, accepted by you');
  });

  test('a judgement renews the rounds of every equal reply, and of no other', () => {
    const row = (id: string, experience = experienceOf()) => ({
      id,
      node: { ref: { kind: 'experience', runId, experience } } as unknown as TreeNode,
    });
    const rows = [
      row('run:run1/main:1/kept/solution1'),
      row('run:run1/main:2/kept/s2', experienceOf({ solutionId: asId('s2') })),
      row('run:run1/main:3/kept/s3', experienceOf({ solutionId: asId('s3'), output: '>45' })),
    ];
    expect(annotatedRows(rows, asId('solution1'))).toEqual(['run:run1/main:1', 'run:run1/main:2']);
  });
});

describe('Evaluations', () => {
  const changed = [
    {
      task: taskOf({ id: asId('t1') }),
      before: { score: 0, output: '>45' },
      after: { score: 1, output: '>46' },
    },
    {
      task: taskOf({ id: asId('t2') }),
      before: { score: 1, output: '>46' },
      after: { score: 0, output: '>44' },
    },
    {
      task: taskOf({ id: asId('t3') }),
      before: { score: 1, output: '>46' },
      after: { score: 0, output: '>43' },
    },
  ];
  const previous = evaluationOf({ id: asId('e0'), at: at(0, 'evaluate'), mean: 0.95 });

  test('newest first, with the version that was evaluated; the control apart', () => {
    const rows = evaluationNodes(
      parent,
      runId,
      [
        previous,
        evaluationOf(),
        evaluationOf({ id: asId('e2'), at: at(1, 'evaluate', 'control'), mean: 0.1 }),
      ],
      [candidateSummaryOf({ version: 2 })],
    );
    expect(shown(rows)).toEqual([
      'Round 1, dev | v2 90.0 % (87.0 to 92.0 %)',
      'Start, dev | v2 95.0 % (87.0 to 92.0 %)',
      'Control | 10.0 %',
    ]);
  });

  test('fixed and broken are counted by the direction of the change', () => {
    const detail = { summary: evaluationOf(), previous, changed };
    expect(shown(changeNodes(parent, detail))).toEqual([
      '\u22125.0 points since start, dev | ',
      'Fixed | 1 task',
      'Broken | 2 tasks',
    ]);
    expect(shown(changedTaskNodes(parent, detail, 'worse'))).toEqual([
      '12+34 | >46 \u2192 >44',
      '12+34 | >46 \u2192 >43',
    ]);
  });

  test('the first evaluation says that there is nothing to compare with', () => {
    expect(shown(changeNodes(parent, { summary: evaluationOf(), previous: null, changed: [] }))).toEqual([
      'The first on this suite: nothing to compare with | ',
    ]);
  });
});

describe('Prompts & Candidates', () => {
  test('versions newest first with score, status, parent and how they were made', () => {
    const start = candidateSummaryOf({ version: 1, status: 'start', score: 0.1, interval: interval(0, 0.2) });
    const next = candidateSummaryOf({
      version: 2,
      status: 'inUse',
      score: 0.9,
      candidate: candidateOf({
        id: asId('c2'),
        parents: [asId('candidate1')],
        note: 'trained on 3 solutions',
      }),
    });
    const control = candidateSummaryOf({ at: at(0, '', 'control') });
    const refused = candidateSummaryOf({
      version: 3,
      status: 'refused',
      score: 0.979,
      candidate: candidateOf({ id: asId('c3') }),
    });
    const screened = evaluationOf({ candidateId: asId('c3'), suite: 'train', tasks: 48 });
    const all = [start, next, refused, control];
    const rows = candidateNodes(parent, runId, all, [screened]);
    expect(shown(rows)).toEqual([
      'v2 | 90.0 % · in use · from v1 · trained on 3 solutions',
      'v1 | 10.0 % · the start',
      'Refused | 1 version',
      'Control | 1 version',
    ]);
    expect(rows.map((row) => row.context)).toEqual(['candidate', 'candidate.first', 'refused', 'control']);
    // A score on other tasks than the dev tasks says so: it must not look better than one that is in use.
    expect(shown(refusedNodes(parent, runId, 'main', all, [screened]))).toEqual([
      'v3 | 97.9 % on 48 train tasks · refused',
    ]);
  });
});

describe('what an event makes stale', () => {
  test('only its own round or run, and only in the trees it concerns', () => {
    const [solved] = stored([
      {
        kind: 'solutionsAcquired',
        count: 4,
        failed: 0,
        finish: {},
        meanOutputTokens: null,
        digest: asId('d'),
        at: at(2, 'solve', 'control'),
      },
    ]);
    if (solved === undefined) throw new Error('no event');
    expect(rowsAffectedBy(solved)).toEqual({
      'ratchet.loops': ['run:run1'],
      'ratchet.experiences': ['run:run1/control/control:2'],
    });
  });

  test('a new run makes the tops of all trees stale', () => {
    const [started] = stored([
      { kind: 'runStarted', recipe: 'star', seed: 1, rounds: 5, arms: ['main'], at: at(0) },
    ]);
    if (started === undefined) throw new Error('no event');
    expect(Object.values(rowsAffectedBy(started)).every((rows) => rows.includes(''))).toBe(true);
    expect(rowsAffectedByRun(runOf())['ratchet.loops']).toEqual(['loop:star.loop.yaml']);
  });
});
