/** Owns the rows that every tree shares: a run, and the group its control stands in. */
import type { RunId } from '../../core/model/ids.ts';
import type { RunStatus, RunSummary } from '../../core/model/views.ts';
import { percent, statusWord } from '../../protocol/wording.ts';
import type { TreeNode } from './treeNode.ts';

const statusIcons: Readonly<Record<RunStatus, { readonly icon: string; readonly color?: string }>> = {
  running: { icon: 'play-circle', color: 'charts.blue' },
  paused: { icon: 'debug-pause' },
  done: { icon: 'pass', color: 'testing.iconPassed' },
  budget: { icon: 'watch', color: 'list.warningForeground' },
  stopped: { icon: 'debug-stop' },
  failed: { icon: 'error', color: 'list.errorForeground' },
};

/** What a run came to so far, in a few words. */
export function runOutcome(run: RunSummary): string {
  const parts: string[] = [];
  if (run.testScore !== null) parts.push(`test ${percent(run.testScore)}`);
  else if (run.score !== null) parts.push(percent(run.score));
  if (run.status === 'running' || run.status === 'paused') parts.push(`round ${run.round} of ${run.rounds}`);
  if (run.status !== 'done') parts.push(statusWord(run.status));
  return parts.join(' · ');
}

function runTooltip(run: RunSummary, name: string): string {
  const lines = [
    `${name}, ${statusWord(run.status)}`,
    `Started ${new Date(run.startedAt).toLocaleString()}, seed ${run.seed}`,
    `Round ${run.round} of ${run.rounds}, ${run.calls} model calls`,
  ];
  if (run.startScore !== null && run.score !== null) {
    lines.push(`Dev score ${percent(run.startScore)} at the start, ${percent(run.score)} now`);
  }
  if (run.testScore !== null) lines.push(`Sealed test ${percent(run.testScore)}`);
  if (run.message !== '') lines.push(run.message);
  return lines.join('\n');
}

/** `withRecipe` names the loop too, for trees that do not group by loop file. */
export function runNode(run: RunSummary, number: number, withRecipe: boolean): TreeNode {
  const label = withRecipe ? `${run.recipeName}, Run ${number}` : `Run ${number}`;
  const outcome = runOutcome(run);
  const active = run.status === 'running' || run.status === 'paused';
  return {
    id: `run:${run.id}`,
    ref: { kind: 'run', run },
    label,
    description: outcome,
    tooltip: () => runTooltip(run, label),
    ...statusIcons[run.status],
    context: `run.${run.status}`,
    children: active && !withRecipe ? 'open' : 'closed',
    spoken: `${label}, ${outcome === '' ? statusWord(run.status) : outcome}`,
    opening: { kind: 'run', runId: run.id, recipePath: run.recipePath },
  };
}

export function controlNode(parentId: string, runId: RunId, description: string): TreeNode {
  return {
    id: `${parentId}/control`,
    ref: { kind: 'control', runId },
    label: 'Control',
    description,
    tooltip: () => 'The same loop without one of its steps, side by side, to show what that step does.',
    icon: 'versions',
    context: 'control',
    children: 'closed',
    spoken: `Control ${description}`,
  };
}
