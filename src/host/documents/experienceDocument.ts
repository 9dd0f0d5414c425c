/** Owns an experience as a document: task, reply, answer beside reference, feedback, verdict, what a person said. */
import type { Annotation, Feedback, FeedbackValue } from '../../core/model/feedback.ts';
import type { ExperienceDetail } from '../../core/model/views.ts';
import { armWord, counted, independence, percent, roundWord } from '../../protocol/wording.ts';
import { fenced, inlineCode, prose } from './plainText.ts';

function valueWord(value: FeedbackValue): string {
  switch (value.kind) {
    case 'pass':
      return value.pass ? 'pass' : 'fail';
    case 'score':
      return percent(value.score);
    case 'text':
      return 'a remark';
  }
}

function feedbackLines(feedback: Feedback): readonly string[] {
  const reason = feedback.reason === undefined ? '' : `: ${prose(feedback.reason)}`;
  const head = `- **${valueWord(feedback.value)}** from ${feedback.source} ${inlineCode(feedback.by)}${reason}`;
  const lines = [head, `  (${independence(feedback.source)})`];
  return feedback.value.kind === 'text' ? [...lines, '', fenced(feedback.value.text)] : lines;
}

function verdictLines(detail: ExperienceDetail): readonly string[] {
  const { refinement, feedback, at } = detail;
  if (refinement === null) return ['Nothing was done with it.'];
  const cited = feedback.filter((item) => refinement.cites.includes(item.id));
  const basis =
    cited.length === 0
      ? at.arm === 'control'
        ? 'Rests on no feedback: the control leaves the deciding step out on purpose.'
        : 'Rests on feedback that is no longer there.'
      : `Rests on ${cited.map((item) => `${item.source} ${inlineCode(item.by)}`).join(', ')}.`;
  const verdict = refinement.verdict.charAt(0).toUpperCase() + refinement.verdict.slice(1);
  return [`**${verdict}**: ${prose(refinement.reason)}`, '', basis];
}

function annotationLines(annotation: Annotation | null): readonly string[] {
  if (annotation === null) {
    return [
      'None yet. Accept, reject, score or note it with the buttons above. It outranks every other feedback on this',
      'task and reply, and counts from the next round on.',
    ];
  }
  const parts: string[] = [];
  if (annotation.verdict !== null) parts.push(annotation.verdict === 'accept' ? 'accepted' : 'rejected');
  if (annotation.score !== null) parts.push(`scored ${percent(annotation.score)}`);
  const judged =
    parts.length === 0 ? 'Noted' : parts.join(', ').replace(/^./, (first) => first.toUpperCase());
  return [
    `**${judged} by you**, ${new Date(annotation.time).toLocaleString()}.`,
    ...(annotation.note === '' ? [] : ['', fenced(annotation.note)]),
  ];
}

function answerLines({ task, solution }: ExperienceDetail): readonly string[] {
  const answer = solution.answer === null ? 'none found' : inlineCode(solution.answer);
  return [
    `- Answer read from it: ${answer}`,
    `- Reference: ${task.reference === undefined ? 'nobody knows it' : inlineCode(task.reference)}`,
    `- Ended: ${solution.finish}${solution.usage.output === null ? '' : `, ${counted(solution.usage.output, 'token')}`}`,
  ];
}

/** Markdown. Text of models and datasets stands in fences and code spans it cannot leave. */
export function experienceDocument(detail: ExperienceDetail): string {
  const { task, solution, candidate, at } = detail;
  const { instruction } = candidate.state;
  return [
    `# ${inlineCode(task.input, 80)}`,
    '',
    `${roundWord(at.round)} of the ${armWord(at.arm)}, ${prose(detail.recipeName)}; a ${task.split} task.`,
    '',
    '## Your judgement',
    '',
    ...annotationLines(detail.annotation),
    '',
    '## Task',
    '',
    fenced(task.input),
    ...(task.context === undefined ? [] : ['', 'With the context:', '', fenced(task.context)]),
    '',
    '## Reply',
    '',
    fenced(solution.output),
    '',
    ...answerLines(detail),
    '',
    '## Feedback',
    '',
    ...(detail.feedback.length === 0 ? ['None.'] : detail.feedback.flatMap(feedbackLines)),
    '',
    '## What the loop did with it',
    '',
    ...verdictLines(detail),
    '',
    '## Who replied',
    '',
    `- Model: ${inlineCode(candidate.state.model)}${candidate.note === '' ? '' : `, ${prose(candidate.note)}`}`,
    `- Weights: ${candidate.state.weights === null ? "the model's own" : inlineCode(candidate.state.weights.slice(0, 12))}`,
    `- Temperature ${solution.temperature}, sample ${solution.sample + 1}`,
    `- Candidate ${inlineCode(candidate.id.slice(0, 12))}`,
    '',
    ...(instruction === ''
      ? ['Without an instruction.']
      : ['With the instruction:', '', fenced(instruction)]),
    '',
  ].join('\n');
}
