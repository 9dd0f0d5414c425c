/** Owns small valid values for the host's and the panel's tests; a test names only what it is about. */
import type { Candidate, Interval } from '../../../src/core/model/candidate.ts';
import type { Arm, EventBody, Position, StoredEvent } from '../../../src/core/model/event.ts';
import type { Annotation } from '../../../src/core/model/feedback.ts';
import { asId, type RunId } from '../../../src/core/model/ids.ts';
import type { Solution, Task } from '../../../src/core/model/task.ts';
import type {
  CandidateSummary,
  EvaluationSummary,
  ExperienceDetail,
  ExperienceSummary,
  RunDetail,
  RunSummary,
} from '../../../src/core/model/views.ts';
import type { TreeNode } from '../../../src/host/trees/treeNode.ts';

export const runId = asId<RunId>('run1');

export function at(round: number, step = '', arm: Arm = 'main'): Position {
  return { arm, round, step };
}

export function interval(low: number, high: number): Interval {
  return { low, high, confidence: 0.95, method: 'Wilson' };
}

export function runOf(part: Partial<RunSummary> = {}): RunSummary {
  return {
    id: runId,
    recipeName: 'star',
    recipePath: 'star.loop.yaml',
    status: 'done',
    message: '',
    seed: 1,
    rounds: 5,
    startedAt: 1_000,
    endedAt: 9_000,
    round: 5,
    arms: ['main', 'control'],
    startScore: 0.1,
    score: 0.9,
    testScore: 0.88,
    calls: 100,
    ...part,
  };
}

export function detailOf(part: Partial<RunDetail> = {}): RunDetail {
  const interval95 = interval(0.8, 0.95);
  const step = (
    round: number,
    name: string,
    phase: 'acquire' | 'refine' | 'evaluate',
    arm: Arm = 'main',
  ) => ({
    at: at(round, name, arm),
    phase,
    operator: name,
    summary: `${name} done`,
  });
  return {
    run: runOf(),
    recipeText: '',
    rounds: [
      {
        arm: 'main',
        round: 0,
        score: 0.1,
        interval: interval(0.05, 0.2),
        steps: [step(0, 'evaluate', 'evaluate')],
      },
      {
        arm: 'main',
        round: 1,
        score: 0.9,
        interval: interval95,
        steps: [
          step(1, 'solve', 'acquire'),
          step(1, 'assess', 'acquire'),
          step(1, 'select', 'refine'),
          step(1, 'evaluate', 'evaluate'),
        ],
      },
      {
        arm: 'control',
        round: 1,
        score: 0.12,
        interval: null,
        steps: [step(1, 'solve', 'acquire', 'control')],
      },
    ],
    ...part,
  };
}

export function taskOf(part: Partial<Task> = {}): Task {
  return { id: asId('task1'), split: 'train', input: '12+34', reference: '46', ...part };
}

export function solutionOf(part: Partial<Solution> = {}): Solution {
  return {
    id: asId('solution1'),
    taskId: asId('task1'),
    candidateId: asId('candidate1'),
    sample: 0,
    output: '2+4+0=06,1+3+0=04>46',
    answer: '46',
    temperature: 1,
    finish: 'stop',
    usage: { input: 6, output: 20 },
    ...part,
  };
}

export function candidateOf(part: Partial<Candidate> = {}): Candidate {
  return {
    id: asId('candidate1'),
    state: { model: 'pocket', instruction: '', weights: null },
    parents: [],
    note: '',
    ...part,
  };
}

export function annotationOf(part: Partial<Annotation> = {}): Annotation {
  return {
    key: asId('key1'),
    solutionId: asId('solution1'),
    verdict: null,
    score: null,
    note: '',
    time: 5_000,
    ...part,
  };
}

export function experienceOf(part: Partial<ExperienceSummary> = {}): ExperienceSummary {
  return {
    solutionId: asId('solution1'),
    taskId: asId('task1'),
    at: at(1, 'solve'),
    input: '12+34',
    output: '2+4+0=06,1+3+0=04>46',
    answer: '46',
    score: 1,
    verdict: 'kept',
    reason: 'equal to the reference',
    annotation: null,
    ...part,
  };
}

export function experienceDetailOf(part: Partial<ExperienceDetail> = {}): ExperienceDetail {
  return {
    runId,
    recipeName: 'star',
    at: at(1, 'solve'),
    task: taskOf(),
    solution: solutionOf(),
    candidate: candidateOf(),
    feedback: [
      {
        id: asId('feedback1'),
        solutionId: asId('solution1'),
        source: 'metric',
        by: 'exact',
        value: { kind: 'pass', pass: true },
        reason: 'equal to the reference',
      },
    ],
    refinement: {
      id: asId('refinement1'),
      solutionId: asId('solution1'),
      verdict: 'kept',
      reason: 'score 1 is at least 1',
      cites: [asId('feedback1')],
    },
    annotation: null,
    ...part,
  };
}

export function evaluationOf(part: Partial<EvaluationSummary> = {}): EvaluationSummary {
  return {
    id: asId('evaluation1'),
    runId,
    at: at(1, 'evaluate'),
    candidateId: asId('candidate1'),
    suite: 'dev',
    temperature: 0,
    tasks: 500,
    mean: 0.9,
    interval: interval(0.87, 0.92),
    ...part,
  };
}

export function candidateSummaryOf(part: Partial<CandidateSummary> = {}): CandidateSummary {
  return {
    candidate: candidateOf(),
    runId,
    at: at(1, 'update'),
    version: 1,
    status: 'made',
    score: null,
    interval: null,
    gain: null,
    ...part,
  };
}

/** Events of one run, numbered from `first`. */
export function stored(bodies: readonly (EventBody & { readonly at: Position })[], first = 1): StoredEvent[] {
  return bodies.map((event, index) => ({ seq: first + index, runId, time: 0, event }));
}

/** Rows as "label | description", children not asked for. */
export function shown(nodes: readonly TreeNode[]): string[] {
  return nodes.map((node) => `${node.label} | ${node.description}`.replaceAll('\u00a0', ' '));
}
