/** Owns the words a run's result is told in on a terminal: the table by round, the sealed test, the progress line. Pure text. */
import type { RunProgress } from '../core/model/event.ts';
import type { RunResult } from '../protocol/engine.ts';
import { armWord, count, duration, percent, phaseWord, points, range } from '../protocol/wording.ts';
import type { KeptReport, RoundReport, RunFold, RunReport, TestReport } from './runReport.ts';

const confidence = 0.95;
const method = '';

export function tableHead(hasControl: boolean): string {
  return row('round', 'accuracy', hasControl ? 'control' : '');
}

/** One round, the control's figure beside the loop's. */
export function tableRow(fold: RunFold, round: number): string | null {
  const own = fold.main.rounds.find((one) => one.round === round);
  if (own === undefined) return null;
  const beside = fold.control.rounds.find((one) => one.round === round);
  return row(round === 0 ? 'start' : String(round), score(own), beside === undefined ? '' : score(beside));
}

function row(first: string, second: string, third: string): string {
  return `${first.padStart(5)}  ${second.padEnd(27)}${third}`.trimEnd();
}

function score({ accuracy, low, high }: Omit<RoundReport, 'round'>): string {
  return `${percent(accuracy).padStart(7)}  (${range({ low, high, confidence, method })})`;
}

/** The last lines, after the table. */
export function summaryLines(report: RunReport, result: RunResult): readonly string[] {
  return [
    ...(report.test === null ? [] : testLines(report.test)),
    keptLine(report.kept),
    `${count(report.calls)} calls, ${duration(report.seconds * 1000)}.`,
    ...(saysMore(report, result) ? [result.message] : []),
  ];
}

/** The sentence of a run that ended well repeats the test's figures. */
function saysMore({ test, kept }: RunReport, { kind, message }: RunResult): boolean {
  return message !== '' && (kind !== 'done' || test === null || kept.candidates === 0);
}

function testLines(test: TestReport): readonly string[] {
  const gained = `${points(test.gainLow).replace(/\s*points$/, '')} to ${points(test.gainHigh)}`;
  return [
    `Sealed test: ${percent(test.accuracy)} (${range({ ...test, confidence, method })}), from ${percent(test.start)} at the start.`,
    `Gain on the same tasks: ${points(test.gain)} (${gained}).`,
  ];
}

function keptLine(kept: KeptReport): string {
  const all = kept.solutions + kept.dropped + kept.corrected;
  const solutions = all === 0 ? [] : [`${count(kept.solutions + kept.corrected)} of ${count(all)} solutions`];
  const tried = kept.candidates + kept.refused;
  const candidates = tried === 0 ? [] : [`${count(kept.candidates)} of ${count(tried)} candidates`];
  return solutions.length + candidates.length === 0
    ? 'Nothing was kept.'
    : `Kept ${[...solutions, ...candidates].join(', ')}.`;
}

/** What a running step is doing, in one line. */
export function progressLine(progress: RunProgress, rounds: number): string {
  const { at, phase, operator, done, total, remainingMs } = progress;
  const place = at.round === 0 ? 'start' : `round ${at.round} of ${rounds}`;
  const left = remainingMs === null ? '' : `, about ${duration(remainingMs)} left`;
  return `${place}, ${armWord(at.arm)}: ${phaseWord(phase)} / ${operator} ${done}/${total}${left}`;
}
