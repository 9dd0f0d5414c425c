/** Owns a candidate as a document made for comparing: the same lines in the same order for every version. */
import type { CandidateSummary, RunSummary } from '../../core/model/views.ts';
import { counted, percent, points, range, roundWord } from '../../protocol/wording.ts';
import { candidateStatusWord, parentNames } from '../trees/candidatesTree.ts';
import { candidateName } from '../trees/treeNode.ts';
import { fenced, inlineCode, prose } from './plainText.ts';

export function candidateDocument(
  summary: CandidateSummary,
  all: readonly CandidateSummary[],
  run: RunSummary,
): string {
  const { state, note, id } = summary.candidate;
  const parents = parentNames(summary, all);
  const { gain } = summary;
  return [
    `# ${prose(run.recipeName)}, ${candidateName(summary.at.arm, summary.version)}`,
    '',
    `- Status: ${candidateStatusWord(summary.status)}`,
    `- Score: ${summary.score === null ? 'not evaluated' : percent(summary.score)}${
      summary.interval === null ? '' : ` (${range(summary.interval)})`
    }`,
    `- Gain: ${
      gain === null
        ? 'not compared'
        : `${points(gain.gain)} (${points(gain.interval.low)} to ${points(gain.interval.high)}) on ${counted(
            gain.tasks,
            'task',
          )}: ${gain.better} better, ${gain.worse} worse`
    }`,
    `- Made: ${roundWord(summary.at.round).toLowerCase()}${note === '' ? '' : `, ${prose(note)}`}`,
    `- Parents: ${parents === '' ? 'none' : parents}`,
    `- Model: ${inlineCode(state.model)}`,
    `- Weights: ${state.weights === null ? "the model's own" : inlineCode(state.weights)}`,
    `- Candidate: ${inlineCode(id)}`,
    '',
    '## Instruction',
    '',
    state.instruction === '' ? '(empty)' : fenced(state.instruction),
    '',
  ].join('\n');
}
