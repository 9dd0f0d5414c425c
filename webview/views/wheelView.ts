/** Owns the wheel: acquire, refine, update, evaluate with their steps, the running one lit, and how far the run is. */
import { html, nothing, type TemplateResult } from 'lit';
import type { RunProgress } from '../../src/core/model/event.ts';
import type { RecipeDescription } from '../../src/core/model/recipeView.ts';
import { count, counted, duration, phaseWord, statusWord } from '../../src/protocol/wording.ts';
import type { ShownRun } from '../panelState.ts';
import { icon } from './icons.ts';

type Step = RecipeDescription['steps'][number];

function stepItem(step: Step, shown: ShownRun | null, running: boolean): TemplateResult {
  const model = shown?.model;
  const current = running && model?.wheel.step === step.path;
  const arm = running && model?.wheel.arm === 'control' ? model.control : model?.main;
  const note = arm?.notes.get(step.path);
  return html`<li class=${current ? 'step current' : 'step'} aria-current=${current ? 'step' : 'false'}>
    <span class="operator">${step.operator}</span>
    <span class="detail">${note?.text ?? step.detail}</span>
  </li>`;
}

interface PhaseGroup {
  readonly phase: string;
  readonly steps: readonly Step[];
}

/** The steps in the order the wheel turns, neighbours of the same phase together: a phase may come twice. */
export function phaseGroups(steps: readonly Step[]): readonly PhaseGroup[] {
  const groups: { phase: string; steps: Step[] }[] = [];
  for (const step of steps) {
    const last = groups.at(-1);
    if (last?.phase === step.phase) last.steps.push(step);
    else groups.push({ phase: step.phase, steps: [step] });
  }
  return groups;
}

function phaseItem(group: PhaseGroup, shown: ShownRun | null, running: boolean): TemplateResult {
  const lit = running && group.steps.some((step) => step.path === shown?.model.wheel.step);
  const name = group.phase.charAt(0).toUpperCase() + group.phase.slice(1);
  return html`<li class=${lit ? 'phase lit' : 'phase'}>
    <h3>${name}${lit ? html`<span class="lit-word">running</span>` : nothing}</h3>
    <ul>
      ${group.steps.map((step) => stepItem(step, shown, running))}
    </ul>
  </li>`;
}

export function wheelView(
  description: RecipeDescription | null,
  shown: ShownRun | null,
  running: boolean,
): TemplateResult | typeof nothing {
  if (description === null || description.steps.length === 0) return nothing;
  return html`<section class="wheel" aria-labelledby="wheel-title">
    <h2 id="wheel-title">One turn of the wheel</h2>
    <ol class="phases">
      ${phaseGroups(description.steps).map((group) => phaseItem(group, shown, running))}
    </ol>
    ${description.control === null ? nothing : html`<p class="note">Control: ${description.control}.</p>`}
  </section>`;
}

function place(shown: ShownRun): string {
  const { wheel, plannedRounds } = shown.model;
  const progress = shown.progress;
  const at = progress?.at ?? wheel;
  if (at.step === 'test') return withCount(['Scoring the sealed test'], progress);
  const parts = [at.round === 0 ? 'Measuring the start' : `Round ${at.round} of ${plannedRounds}`];
  if (at.arm === 'control') parts.push('control');
  const phase = progress?.phase ?? wheel.phase;
  if (phase !== null) {
    const operator = progress === null || progress.operator === phase ? '' : `, ${progress.operator}`;
    parts.push(phaseWord(phase) + operator);
  }
  return withCount(parts, progress);
}

function withCount(parts: readonly string[], progress: RunProgress | null): string {
  const known = progress !== null && progress.total > 0;
  const note = progress?.note === undefined ? '' : ` ${progress.note}`;
  return [...parts, ...(known ? [`${count(progress.done)} of ${count(progress.total)}${note}`] : [])].join(
    ' · ',
  );
}

/** One line that is always there, so that nothing jumps when a run begins or ends. */
export function progressView(shown: ShownRun | null): TemplateResult {
  const status = shown?.summary?.status;
  if (shown === null || status === undefined) return html`<div class="progress idle"></div>`;
  if (status === 'running') {
    const { progress } = shown;
    const known = progress !== null && progress.total > 0;
    const left = progress?.remainingMs ?? null;
    return html`<div class="progress">
      <span class="place">${place(shown)}</span>
      <progress
        aria-label="Progress of the running step"
        max=${known ? progress.total : 1}
        .value=${known ? progress.done : 0}
      ></progress>
      <span class="left">${left === null ? '' : `about ${duration(left)} left`}</span>
    </div>`;
  }
  return html`<div class="progress rest ${status}">
    ${status === 'failed' ? icon('warning') : nothing}<span class="place"
      >${restWord(shown)}</span
    >
  </div>`;
}

/** How a run that stands still came to: its own sentence, or what it took where the figures below say the rest. */
function restWord({ summary, model }: ShownRun): string {
  if (summary === null) return '';
  if (summary.status === 'done' && model.test !== null && summary.endedAt !== null) {
    const took = duration(summary.endedAt - summary.startedAt);
    return `Done: ${counted(model.main.round, 'round')}, ${counted(summary.calls, 'model call')}, ${took}.`;
  }
  // Why it stopped stands in a notice of its own, with the way on.
  if (summary.status === 'budget') return `Stopped in round ${summary.round} of ${summary.rounds}.`;
  return summary.message === '' ? `The run is ${statusWord(summary.status)}.` : summary.message;
}
