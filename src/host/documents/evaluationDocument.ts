/** Owns an evaluation as a document: score, interval, and the tasks it fixed and broke, before beside after. */
import type { ChangedTask, EvaluationDetail } from '../../core/model/views.ts';
import { armWord, counted, percent, points, range, roundWord } from '../../protocol/wording.ts';
import { fenced, inlineCode, visible } from './plainText.ts';

/** Tasks written out on each side; the tree has them all. */
const mostWritten = 100;

function taskLines({ task, before, after }: ChangedTask): readonly string[] {
  return [
    `### ${inlineCode(task.input, 80)}`,
    '',
    ...(task.reference === undefined ? [] : [`Reference ${inlineCode(task.reference)}.`, '']),
    `Before, ${percent(before.score)}:`,
    '',
    fenced(before.output),
    '',
    `Now, ${percent(after.score)}:`,
    '',
    fenced(after.output),
    '',
  ];
}

function sideLines(title: string, tasks: readonly ChangedTask[]): readonly string[] {
  if (tasks.length === 0) return [];
  const more = tasks.length - mostWritten;
  return [
    `## ${title}: ${counted(tasks.length, 'task')}`,
    '',
    ...tasks.slice(0, mostWritten).flatMap(taskLines),
    ...(more > 0 ? [`${counted(more, 'more task')} in the Evaluations view.`, ''] : []),
  ];
}

export function evaluationDocument(detail: EvaluationDetail): string {
  const { summary, previous, changed } = detail;
  const suite = summary.suite === 'test' ? 'the sealed test' : `the ${summary.suite} tasks`;
  const confidence = Math.round(100 * summary.interval.confidence);
  const fixed = changed.filter((task) => task.after.score > task.before.score);
  const broken = changed.filter((task) => task.after.score < task.before.score);
  return [
    `# ${percent(summary.mean)} on ${suite}`,
    '',
    `- ${counted(summary.tasks, 'task')}, ${confidence} % interval ${range(summary.interval)} (${summary.interval.method})`,
    `- ${roundWord(summary.at.round)} of the ${armWord(summary.at.arm)}, temperature ${summary.temperature}`,
    `- Candidate ${inlineCode(summary.candidateId.slice(0, 12))}`,
    previous === null
      ? '- The first evaluation on this suite: nothing to compare with'
      : `- ${points(summary.mean - previous.mean)} since ${roundWord(previous.at.round).toLowerCase()} (${percent(previous.mean)})`,
    '',
    ...sideLines('Fixed', fixed),
    ...sideLines('Broken', broken),
    ...(previous !== null && changed.length === 0 ? ['No task changed.', ''] : []),
  ].join('\n');
}

/** One side of a changed task, for the native diff. */
export function changedTaskDocument(changed: ChangedTask, side: 'before' | 'after'): string {
  const shown = changed[side];
  return [
    `Task: ${visible(changed.task.input)}`,
    ...(changed.task.reference === undefined ? [] : [`Reference: ${visible(changed.task.reference)}`]),
    `Score: ${percent(shown.score)}`,
    '',
    visible(shown.output),
    '',
  ].join('\n');
}
