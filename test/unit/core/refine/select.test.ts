import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Annotation, Feedback } from '../../../../src/core/model/feedback.ts';
import { stream } from '../../../../src/core/measure/random.ts';
import { asId } from '../../../../src/core/model/ids.ts';
import type { Evaluation } from '../../../../src/core/model/candidate.ts';
import { gate } from '../../../../src/core/refine/selectCandidates.ts';
import {
  keepUnfiltered,
  meets,
  parseKeepRule,
  selectSolutions,
  type Judged,
  type KeepRule,
} from '../../../../src/core/refine/selectSolutions.ts';

const at = { arm: 'main', round: 1, step: 'filter' } as const;
const metric = (score: number): Feedback => ({
  id: asId('m'),
  solutionId: asId('s'),
  source: 'metric',
  by: 'exact',
  value: { kind: 'score', score },
  reason: `scored ${score}`,
});
const human: Feedback = {
  id: asId('h'),
  solutionId: asId('s'),
  source: 'human',
  by: 'a person',
  value: { kind: 'pass', pass: true },
};
const annotation = (verdict: Annotation['verdict'], score: number | null = null): Annotation => ({
  key: asId('k'),
  solutionId: asId('s'),
  verdict,
  score,
  note: '',
  time: 0,
});

const item = (feedback: readonly Feedback[], said: Annotation | null = null): Judged => ({
  solutionId: asId('s'),
  taskId: asId('t'),
  output: 'x',
  answer: 'x',
  feedback,
  annotation: said,
});
const byThreshold = (judged: Judged, rule: KeepRule) =>
  selectSolutions([judged], { policy: 'threshold', rule }, at, () => stream(1))[0];

describe('selection of solutions by threshold', () => {
  it('keeps by the rule and cites what it rests on', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.constantFrom('>= 1', '> 0.5', '>=0.25'),
        (score, text) => {
          const rule = parseKeepRule(text);
          const refinement = byThreshold(item([metric(score)]), rule);
          expect(refinement?.verdict === 'kept').toBe(meets(rule, score));
          expect(refinement?.cites).toEqual(['m']);
          expect(refinement?.reason).not.toBe('');
        },
      ),
    );
  });

  it("puts a person's verdict before any score, and a person's score before the metric's", () => {
    const judge = (score: number, said: Annotation) =>
      byThreshold(item([metric(score), human], said), parseKeepRule('>= 1'));
    expect(judge(0, annotation('accept'))).toMatchObject({ verdict: 'kept', cites: ['h'] });
    expect(judge(1, annotation('reject'))).toMatchObject({ verdict: 'dropped', cites: ['h'] });
    expect(judge(1, annotation(null, 0.2))).toMatchObject({ verdict: 'dropped', cites: ['h'] });
    expect(judge(0, annotation(null, 1))).toMatchObject({ verdict: 'kept', cites: ['h'] });
    expect(judge(1, annotation(null))).toMatchObject({ verdict: 'kept' });
  });

  it('drops what nobody judged, but in a control, which cites nothing and says so', () => {
    const unjudged = item([]);
    expect(byThreshold(unjudged, parseKeepRule('> 0'))).toMatchObject({
      verdict: 'dropped',
      reason: 'nobody judged it',
    });
    expect(keepUnfiltered(unjudged, at)).toMatchObject({
      verdict: 'kept',
      cites: [],
      reason: 'control: kept without a filter',
    });
  });
});

function evaluation(scores: readonly number[]): Evaluation {
  return {
    id: asId('e'),
    candidateId: asId('c'),
    suite: 'dev',
    temperature: 0,
    scores: scores.map((score, index) => ({ taskId: asId(`t${index}`), score, output: '' })),
    mean: 0,
    interval: { low: 0, high: 1, confidence: 0.95, method: 'test' },
  };
}

describe('the gate', () => {
  it('accepts only what is shown to be better on the same tasks', () => {
    const start = Array.from({ length: 100 }, (_, i) => Number(i < 30));
    const much = Array.from({ length: 100 }, (_, i) => Number(i < 60));
    const hardly = Array.from({ length: 100 }, (_, i) => Number(i < 32));
    expect(gate(evaluation(start), evaluation(much), 0.95)).toMatchObject({ accepted: true });
    expect(gate(evaluation(start), evaluation(hardly), 0.95)).toMatchObject({ accepted: false });
    expect(gate(evaluation(start), evaluation(start), 0.95)).toMatchObject({ accepted: false });
    expect(gate(evaluation(much), evaluation(start), 0.95).reason).toMatch(/^worse/);
    expect(gate(evaluation(start), evaluation(hardly), 0.95).reason).toContain('not shown to be better');
  });

  it('never accepts a candidate that is not better on any task', () => {
    const scores = fc.array(fc.tuple(fc.constantFrom(0, 0.5, 1), fc.constantFrom(0, 0.5, 1)), {
      minLength: 2,
      maxLength: 40,
    });
    fc.assert(
      fc.property(scores, (pairs) => {
        const before = pairs.map(([a, b]) => Math.max(a, b));
        const after = pairs.map(([a, b]) => Math.min(a, b));
        expect(gate(evaluation(before), evaluation(after), 0.9).accepted).toBe(false);
      }),
    );
  });
});
