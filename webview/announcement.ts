/** Owns the one sentence a screen reader is told when the run has come further. Rounds only: steps would be chatter. */
import { percent, statusWord } from '../src/protocol/wording.ts';
import type { Panel } from './panelState.ts';
import { newest } from './runModel.ts';

export function announcement(panel: Panel | null): string {
  const shown = panel?.shown;
  if (shown === undefined || shown === null || shown.summary === null) return '';
  const point = newest(shown.model.main);
  const score = point === null ? '' : `, score ${percent(point.mean)}`;
  if (shown.summary.status === 'running') {
    return `Round ${shown.model.main.round} of ${shown.model.plannedRounds}${score}.`;
  }
  const test = shown.model.test;
  return `Run ${statusWord(shown.summary.status)}${score}${test === null ? '' : `, sealed test ${percent(test.final)}`}.`;
}
