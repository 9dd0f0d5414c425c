/** Owns the rows of Loops & Runs: loop file, run, round, phase, step. Pure functions of read models. */
import type { Arm, Phase } from '../../core/model/event.ts';
import type { RoundSummary, RunDetail, RunSummary, StepSummary } from '../../core/model/views.ts';
import { percent, phaseWord, range, roundWord } from '../../protocol/wording.ts';
import { controlNode, runNode } from './runRows.ts';
import { runNumbers, type TreeNode } from './treeNode.ts';

const phaseIcons: Readonly<Record<Phase, string>> = {
  acquire: 'inbox',
  refine: 'filter',
  update: 'arrow-circle-up',
  evaluate: 'graph-line',
};

/** Loop files of the workspace, and those that are gone but have runs. Paths are relative, with '/'. */
export function recipeNodes(paths: readonly string[], runs: readonly RunSummary[]): readonly TreeNode[] {
  const present = new Set(paths);
  const all = [...new Set([...paths, ...runs.map((run) => run.recipePath)])].sort();
  return all.map((path) => {
    const own = runs.filter((run) => run.recipePath === path);
    const running = own.some((run) => run.status === 'running');
    const gone = !present.has(path);
    const name = path.slice(path.lastIndexOf('/') + 1).replace(/\.loop\.ya?ml$/, '');
    const folder = path.includes('/') ? path.slice(0, path.lastIndexOf('/')) : '';
    const description = [folder, gone ? 'file is gone' : running ? 'running' : ''].filter(
      (part) => part !== '',
    );
    return {
      // The editor remembers by id whether a row is open: the first run makes the row a new one, which opens.
      id: own.length === 0 ? `unrun:${path}` : `loop:${path}`,
      ref: { kind: 'recipe', path },
      label: name,
      description: description.join(' · '),
      tooltip: () =>
        `${path}\n${own.length === 0 ? 'Not run yet' : own.length === 1 ? 'One run' : `${own.length} runs`}`,
      icon: 'sync',
      context: gone ? 'recipe.gone' : 'recipe',
      children: own.length === 0 ? 'none' : 'open',
      spoken: `Loop ${[name, ...description].join(', ')}`,
      ...(gone ? {} : { opening: { kind: 'panel', recipePath: path } as const }),
    };
  });
}

export function runNodes(recipePath: string, runs: readonly RunSummary[]): readonly TreeNode[] {
  const numbers = runNumbers(runs);
  return runs
    .filter((run) => run.recipePath === recipePath)
    .sort((left, right) => right.startedAt - left.startedAt)
    .map((run) => runNode(run, numbers.get(run.id) ?? 0, false));
}

function roundNode(parentId: string, detail: RunDetail, round: RoundSummary): TreeNode {
  const score = round.score === null ? '' : percent(round.score);
  const interval = round.interval === null ? '' : `(${range(round.interval)})`;
  const running = detail.run.status === 'running' && round.arm === 'main' && round.round === detail.run.round;
  const name = roundWord(round.round);
  const description = score === '' ? (running ? 'running' : '') : `${score} ${interval}`.trim();
  return {
    id: `${parentId}/${round.arm}:${round.round}`,
    ref: { kind: 'round', runId: detail.run.id, arm: round.arm, round: round.round },
    label: name,
    description,
    icon: running ? 'circle-large-outline' : 'milestone',
    context: 'round',
    children: round.steps.length === 0 ? 'none' : 'closed',
    spoken: `${round.arm === 'control' ? 'Control, ' : ''}${name}, ${description === '' ? 'no score' : description}`,
  };
}

/** The loop's own rounds, then the group of its control's. */
export function roundNodes(parent: TreeNode, detail: RunDetail): readonly TreeNode[] {
  const main = detail.rounds.filter((round) => round.arm === 'main');
  const control = detail.rounds.filter((round) => round.arm === 'control');
  const last = control.findLast((round) => round.score !== null);
  return [
    ...main.map((round) => roundNode(parent.id, detail, round)),
    ...(control.length === 0
      ? []
      : [
          controlNode(
            parent.id,
            detail.run.id,
            last?.score === null || last === undefined ? '' : percent(last.score),
          ),
        ]),
  ];
}

export function controlRoundNodes(parent: TreeNode, detail: RunDetail): readonly TreeNode[] {
  return detail.rounds
    .filter((round) => round.arm === 'control')
    .map((round) => roundNode(parent.id, detail, round));
}

function stepsOf(detail: RunDetail, arm: Arm, round: number): readonly StepSummary[] {
  return detail.rounds.find((other) => other.arm === arm && other.round === round)?.steps ?? [];
}

/** The phases of a round in the order their steps ran; one with several steps opens to show each. */
export function phaseNodes(
  parent: TreeNode,
  detail: RunDetail,
  arm: Arm,
  round: number,
): readonly TreeNode[] {
  const steps = stepsOf(detail, arm, round);
  return [...new Set(steps.map((step) => step.phase))].map((phase) => {
    const own = steps.filter((step) => step.phase === phase);
    const description = own
      .map((step) => step.summary)
      .filter((summary) => summary !== '')
      .join(' · ');
    return {
      id: `${parent.id}/${phase}`,
      ref: { kind: 'phase', runId: detail.run.id, arm, round, phase },
      label: phaseWord(phase),
      description,
      tooltip: () => own.map((step) => `${step.operator}: ${step.summary}`).join('\n'),
      icon: phaseIcons[phase],
      context: 'phase',
      children: own.length > 1 ? 'closed' : 'none',
      spoken: `${phaseWord(phase)}: ${description}`,
    };
  });
}

export function stepNodes(
  parent: TreeNode,
  detail: RunDetail,
  place: { readonly arm: Arm; readonly round: number; readonly phase: Phase },
): readonly TreeNode[] {
  return stepsOf(detail, place.arm, place.round)
    .filter((step) => step.phase === place.phase)
    .map((step) => ({
      id: `${parent.id}/${step.at.step}`,
      ref: { kind: 'step' },
      label: step.operator,
      description: step.summary,
      icon: 'circle-small-filled',
      context: 'step',
      children: 'none',
      spoken: `${step.operator}: ${step.summary}`,
    }));
}
