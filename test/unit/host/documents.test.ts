import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  asId,
  type EvaluationId,
  type RunId,
  type SolutionId,
  type TaskId,
} from '../../../src/core/model/ids.ts';
import { fileTitle, pathOf, readPath, type DocumentAddress } from '../../../src/host/documents/addresses.ts';
import { candidateDocument } from '../../../src/host/documents/candidateDocument.ts';
import { changedTaskDocument, evaluationDocument } from '../../../src/host/documents/evaluationDocument.ts';
import { experienceDocument } from '../../../src/host/documents/experienceDocument.ts';
import { fenced, inlineCode, oneLine, prose, visible } from '../../../src/host/documents/plainText.ts';
import {
  annotationOf,
  at,
  candidateOf,
  candidateSummaryOf,
  evaluationOf,
  experienceDetailOf,
  runOf,
  solutionOf,
  taskOf,
} from './builders.ts';

/** Text as a hostile model or dataset would write it. */
const hostile = fc.string({
  unit: fc.oneof(
    fc.constantFrom(
      '`',
      '```',
      '````\n',
      '\n',
      '\r',
      '\u202e',
      '\u2066',
      '\u200b',
      '\ufeff',
      '\u0000',
      '\ud800',
    ),
    fc.constantFrom('[x](command:ratchet.run)', '<script>', '![i](https://a/b.png)', '# ', '---\n', '~~~'),
    fc.string({ unit: 'binary', minLength: 1, maxLength: 3 }),
  ),
  maxLength: 40,
});

/** What a Markdown reader takes for code: the text between an opening fence and the first line that closes it. */
function outsideFences(markdown: string): string {
  const outside: string[] = [];
  let fence: string | null = null;
  for (const line of markdown.split('\n')) {
    const ticks = /^ {0,3}(`{3,})([^`]*)$/.exec(line);
    if (fence === null && ticks?.[1] !== undefined) fence = ticks[1];
    else if (
      fence !== null &&
      ticks?.[1] !== undefined &&
      ticks[2]?.trim() === '' &&
      ticks[1].length >= fence.length
    ) {
      fence = null;
    } else if (fence === null) outside.push(line);
  }
  if (fence !== null) throw new Error('a fence was never closed');
  return outside.join('\n');
}

/** The prose of Markdown without its code spans and escaped characters. */
function bareProse(markdown: string): string {
  let bare = '';
  for (let index = 0; index < markdown.length; index += 1) {
    if (markdown[index] === '\\') {
      index += 1;
      continue;
    }
    const ticks = /^`*/.exec(markdown.slice(index))?.[0] ?? '';
    if (ticks === '') {
      bare += markdown[index] ?? '';
      continue;
    }
    const after = markdown.slice(index + ticks.length);
    const closing = new RegExp(`(?<!\`)${ticks}(?!\`)`).exec(after);
    index += ticks.length - 1 + (closing === null ? 0 : closing.index + ticks.length);
  }
  return bare;
}

const unseen =
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]|\p{Surrogate}/u;

describe('text of models and datasets', () => {
  test('nothing can leave its fence', () => {
    fc.assert(
      fc.property(hostile, (text) => {
        expect(outsideFences(fenced(text))).toBe('');
      }),
    );
  });

  test('nothing unseen is left, and what can be seen is kept', () => {
    fc.assert(
      fc.property(hostile, (text) => {
        expect(visible(text)).not.toMatch(unseen);
      }),
    );
    expect(visible('a\u202eb\u0007\ttab\nline\r\nend \ud83d\ude00 \u00e9 \u4e2d')).toBe(
      'a\\u{202E}b\\u{7}\ttab\nline\nend \ud83d\ude00 \u00e9 \u4e2d',
    );
    expect(visible('\ud800')).toBe('\\u{D800}');
  });

  test('a code span closes where it ends and is one line', () => {
    fc.assert(
      fc.property(hostile, (text) => {
        const span = inlineCode(text);
        expect(span).not.toContain('\n');
        const ticks = /^`*/.exec(span)?.[0] ?? '';
        if (ticks === '') expect(span).toBe('(empty)');
        else {
          const inside = span.slice(ticks.length, -ticks.length);
          const runs = Array.from(inside.matchAll(/`+/g), (run) => run[0].length);
          expect(runs).not.toContain(ticks.length);
        }
      }),
    );
  });

  test('prose has no link, markup or HTML of its own', () => {
    fc.assert(
      fc.property(hostile, (text) => {
        expect(prose(text).replace(/\\./gu, '')).not.toMatch(/[`*_[\]<>#|!&]/);
      }),
    );
  });

  test('a line is at most as long as asked, in characters', () => {
    fc.assert(
      fc.property(hostile, fc.integer({ min: 1, max: 60 }), (text, limit) => {
        expect(Array.from(oneLine(text, limit)).length).toBeLessThanOrEqual(limit);
      }),
    );
  });
});

describe('an experience as a document', () => {
  test('shows task, reply, answer beside reference, feedback with its independence, verdict and judgement', () => {
    const text = experienceDocument(
      experienceDetailOf({
        annotation: annotationOf({ verdict: 'reject', score: 0.25, note: 'carried wrong' }),
      }),
    ).replaceAll('\u00a0', ' ');
    expect(text).toContain('# `12+34`');
    expect(text).toContain('```text\n2+4+0=06,1+3+0=04>46\n```');
    expect(text).toContain('- Answer read from it: `46`\n- Reference: `46`');
    expect(text).toContain(
      '- **pass** from metric `exact`: equal to the reference\n  (independent of the model)',
    );
    expect(text).toContain('**Kept**: score 1 is at least 1\n\nRests on metric `exact`.');
    expect(text).toContain('**Rejected, scored 25.0 % by you**');
    expect(text).toContain('```text\ncarried wrong\n```');
  });

  test('a judge of the same model is not called independent', () => {
    const detail = experienceDetailOf();
    const feedback = detail.feedback.map((item) => ({ ...item, source: 'logprob' as const }));
    expect(experienceDocument({ ...detail, feedback })).toContain('the model judging itself');
  });

  test('what a control keeps is said to rest on nothing', () => {
    const { refinement } = experienceDetailOf();
    if (refinement === null) throw new Error('the builder has a refinement');
    const text = experienceDocument(
      experienceDetailOf({ at: at(1, 'solve', 'control'), refinement: { ...refinement, cites: [] } }),
    );
    expect(text).toContain('the control leaves the deciding step out on purpose');
  });

  test('hostile text stays in fences and code spans wherever it stands', () => {
    fc.assert(
      fc.property(hostile, (text) => {
        const detail = experienceDetailOf({
          recipeName: text,
          task: taskOf({ input: text, reference: text, context: text }),
          solution: solutionOf({ output: text, answer: text }),
          candidate: candidateOf({ note: text, state: { model: text, instruction: text, weights: null } }),
          annotation: annotationOf({ note: text, verdict: 'accept' }),
          feedback: [
            {
              id: asId('f'),
              solutionId: asId('s'),
              source: 'judge',
              by: text,
              value: { kind: 'text', text },
              reason: text,
            },
          ],
        });
        const outside = bareProse(outsideFences(experienceDocument(detail)));
        expect(outside).not.toMatch(/\]\(|<script/);
        expect(outside).not.toMatch(unseen);
      }),
    );
  });
});

describe('other documents', () => {
  test('an evaluation lists what it fixed and broke, before and now', () => {
    const changed = [
      { task: taskOf(), before: { score: 0, output: '>45' }, after: { score: 1, output: '>46' } },
      {
        task: taskOf({ input: '1+1', reference: '2' }),
        before: { score: 1, output: '>2' },
        after: { score: 0, output: '>3' },
      },
    ];
    const text = evaluationDocument({
      summary: evaluationOf(),
      previous: evaluationOf({ at: at(0), mean: 0.4 }),
      changed,
    }).replaceAll('\u00a0', ' ');
    expect(text).toContain('# 90.0 % on the dev tasks');
    expect(text).toContain('+50.0 points since start (40.0 %)');
    expect(text.indexOf('## Fixed: 1 task')).toBeLessThan(text.indexOf('## Broken: 1 task'));
    const [task] = changed;
    if (task === undefined) throw new Error('no task');
    expect(changedTaskDocument(task, 'before')).toContain('>45');
    expect(changedTaskDocument(task, 'after')).toContain('>46');
  });

  test('two versions of a candidate have the same lines in the same order, so that a diff shows what differs', () => {
    const one = candidateSummaryOf({ version: 1, status: 'start' });
    const two = candidateSummaryOf({
      version: 2,
      candidate: candidateOf({
        id: asId('c2'),
        parents: [asId('candidate1')],
        note: 'swapped phrase 2 and 3',
      }),
    });
    const lines = (summary: typeof one) =>
      candidateDocument(summary, [one, two], runOf())
        .split('\n')
        .map((line) => line.split(':')[0]);
    expect(lines(two).slice(1)).toEqual(lines(one).slice(1));
    expect(candidateDocument(two, [one, two], runOf())).toContain('- Parents: v1');
  });
});

describe('addresses', () => {
  const id = fc.string({ minLength: 1, maxLength: 20 });
  const address: fc.Arbitrary<DocumentAddress> = fc.oneof(
    id.map((text) => ({ kind: 'experience' as const, solutionId: asId<SolutionId>(text) })),
    id.map((text) => ({ kind: 'evaluation' as const, evaluationId: asId<EvaluationId>(text) })),
    fc
      .tuple(id, id, fc.constantFrom('before' as const, 'after' as const))
      .map(([evaluation, task, side]) => ({
        kind: 'changedTask' as const,
        evaluationId: asId<EvaluationId>(evaluation),
        taskId: asId<TaskId>(task),
        side,
      })),
    fc
      .tuple(id, fc.constantFrom('main' as const, 'control' as const), fc.integer({ min: 1, max: 99_999 }))
      .map(([run, arm, version]) => ({ kind: 'candidate' as const, runId: asId<RunId>(run), arm, version })),
  );

  test('a path leads back to what it was made from, whatever the title', () => {
    fc.assert(
      fc.property(address, hostile, (made, title) => {
        expect(readPath(pathOf(made, title))).toEqual(made);
      }),
    );
  });

  test('a title is a plain file name', () => {
    fc.assert(
      fc.property(hostile, (text) => {
        expect(fileTitle(text)).toMatch(/^[^/\\:\u0000-\u001f]{1,48}$/u);
        expect(fileTitle(text)).not.toMatch(/^\./);
      }),
    );
  });

  test.each([
    '',
    '/',
    '/experiences',
    '/experiences//x.md',
    '/candidates/r/v1',
    '/candidates/r/x.md',
    '/other/a/b.md',
    '/experiences/%/a.md',
  ])('nothing of ours is at "%s"', (path) => {
    expect(readPath(path)).toBeNull();
  });
});
