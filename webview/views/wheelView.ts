/** Owns the wheel: acquire, refine, update, evaluate with their steps, the running one lit, and how far the run is. */
import { html, nothing, type TemplateResult } from 'lit';
import type { RunProgress } from '../../src/core/model/event.ts';
import type { RecipeDescription } from '../../src/protocol/engine.ts';
import { count, duration, phaseWord } from '../../src/protocol/wording.ts';
import type { ShownRun } from '../panelState.ts';
import { icon } from './icons.ts';

const phases = ['acquire', 'refine', 'update', 'evaluate'] as const;

type Step = RecipeDescription['steps'][number];

function stepItem(step: Step, shown: ShownRun | null, running: boolean): TemplateResult {
  const model = shown?.model;
  const current = running && model?.wheel.step === step.path;
  const arm = running && model?.wheel.arm === 'control' ? model.control : model?.main;
  const note = arm?.notes.get(step.path);
  return html`<li class=${current ? 'step current' : 'step'} aria-current=${current ? 'step' : 'false'}>
    <span class="operator">${step.operator}</span>
    <span class="detail">${note ?? step.detail}</span>
  </li>`;
}

/** The steps of the recipe by phase, in the order the wheel turns. */
export function wheelView(
  description: RecipeDescription | null,
  shown: ShownRun | null,
  running: boolean,
): TemplateResult | typeof nothing {
  if (description === null || description.steps.length === 0) return nothing;
  const litPhase = running ? shown?.model.wheel.phase : null;
  const used = phases.filter((phase) => description.steps.some((step) => step.phase === phase));
  return html`<section class="wheel" aria-labelledby="wheel-title">
    <h2 id="wheel-title">One turn of the wheel</h2>
    <ol class="phases">
      ${used.map(
        (phase) => html`<li class=${phase === litPhase ? 'phase lit' : 'phase'}>
          <h3>${phaseWord(phase)}${phase === litPhase ? html`<span class="lit-word">running</span>` : nothing}</h3>
          <ul>
            ${description.steps
              .filter((step) => step.phase === phase)
              .map((step) => stepItem(step, shown, running))}
          </ul>
        </li>`,
      )}
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
  if (phase !== null) parts.push(phaseWord(phase) + (progress === null ? '' : `, ${progress.operator}`));
  return withCount(parts, progress);
}

function withCount(parts: readonly string[], progress: RunProgress | null): string {
  const known = progress !== null && progress.total > 0;
  return [...parts, ...(known ? [`${count(progress.done)} of ${count(progress.total)}`] : [])].join(' · ');
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
  const message = shown.summary?.message ?? '';
  return html`<div class="progress rest ${status}">
    ${status === 'failed' || status === 'budget' ? icon('warning') : nothing}<span class="place"
      >${message === '' ? (status === 'done' ? `Done after ${shown.model.main.round} rounds.` : `The run is ${status}.`) : message}</span
    >
  </div>`;
}
