import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatStartReport, parseStartReport, type StartReport } from '../../../src/client/startReport.ts';

const reports: fc.Arbitrary<StartReport> = fc.oneof(
  fc.constant<StartReport>({ state: 'ready' }),
  fc.constant<StartReport>({ state: 'owned' }),
  fc.record({
    state: fc.constant('failed' as const),
    kind: fc.constantFrom('store' as const, 'internal' as const),
    sentence: fc.string({ unit: 'binary' }),
  }),
);

test('a report is found among other lines, whatever they are', () => {
  fc.assert(
    fc.property(
      reports,
      fc.array(fc.string().filter((line) => !line.includes('"state"'))),
      (report, noise) => {
        const text = `${noise.map((line) => `${line}\n`).join('')}${formatStartReport(report)}`;
        expect(parseStartReport(text)).toEqual(report);
      },
    ),
  );
});

test('half a report is none', () => {
  const text = formatStartReport({ state: 'failed', kind: 'store', sentence: 'The disk is full.' });
  for (let length = 0; length < text.length - 1; length++) {
    expect(parseStartReport(text.slice(0, length))).toBeNull();
  }
});

test('what a stranger prints is none', () => {
  for (const text of ['', '{}', '{"state":"on fire"}', '[]', '{"state":"failed"}', 'null\n{"state":1}']) {
    expect(parseStartReport(text)).toBeNull();
  }
});
