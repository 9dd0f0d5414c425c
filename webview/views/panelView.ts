/**
 * Owns how the panel is put together: heading and actions, then the score, the curve, the replies; settings, the wheel,
 * the cost and the last round's changes beside them. Deliberately only arranges; each block has its own file.
 */
import { html, nothing, type TemplateResult } from 'lit';
import type { RunId } from '../../src/core/model/ids.ts';
import type { RunStatus, RunSummary } from '../../src/core/model/views.ts';
import type { PanelIntent } from '../../src/protocol/panel.ts';
import { percent, statusWord } from '../../src/protocol/wording.ts';
import type { Choices, Panel, ShownRun, View } from '../panelState.ts';
import { changesView } from './changesView.ts';
import { costLine, spendView } from './costView.ts';
import { curveView } from './curveView.ts';
import { icon, type IconName } from './icons.ts';
import { scoreView } from './scoreView.ts';
import { problemsView, settingsView } from './settingsView.ts';
import { alarmsView, healthView } from './healthView.ts';
import { shownRound, solutionsView } from './solutionsView.ts';
import { progressView, wheelView } from './wheelView.ts';

export interface PanelProps {
  readonly view: View;
  readonly chartWidth: number;
  /** Milliseconds since 1970. */
  readonly now: number;
  /** The window has not sent a snapshot for so long that something must be wrong. */
  readonly overdue: boolean;
  readonly send: (intent: PanelIntent) => void;
  readonly choose: (choices: Partial<Choices>) => void;
}

function action(
  props: PanelProps,
  type: 'run' | 'pause' | 'pauseNow' | 'resume' | 'stop',
  label: string,
  sign: IconName,
  enabled: boolean,
): TemplateResult {
  return html`<button
    type="button"
    class=${type === 'run' || type === 'resume' ? 'primary' : 'secondary'}
    ?disabled=${!enabled}
    @click=${() => props.send({ type })}
  >
    ${icon(sign)}${label}
  </button>`;
}

function actions(props: PanelProps, panel: Panel): TemplateResult {
  const status: RunStatus | undefined = panel.shown?.summary?.status;
  const clean = (panel.recipe.description?.problems.length ?? 1) === 0;
  const ready = panel.engine.kind === 'ready' && panel.trusted;
  return html`<div class="actions" role="group" aria-label="Run control">
    ${
      status === 'running'
        ? props.view.pausing === null
          ? action(props, 'pause', 'Pause', 'pause', ready)
          : action(props, 'pauseNow', 'Pause Now', 'pause', ready)
        : status === 'paused'
          ? action(props, 'resume', 'Resume', 'run', ready)
          : action(props, 'run', 'Run', 'run', ready && clean)
    }
    ${action(props, 'stop', 'Stop', 'stop', ready && (status === 'running' || status === 'paused'))}
  </div>`;
}

function runName(run: RunSummary, number: number): string {
  const score = run.testScore ?? run.score;
  return `Run ${number}, ${statusWord(run.status)}${score === null ? '' : `, ${percent(score)}`}`;
}

function runChoice(props: PanelProps, panel: Panel): TemplateResult | typeof nothing {
  const { runs, shown } = panel;
  if (runs.length < 2 || shown === null) return nothing;
  return html`<label class="runs"
    ><span class="unseen">Run to show</span>
    <select
      @change=${(event: Event) =>
        props.send({ type: 'show', runId: (event.target as HTMLSelectElement).value as RunId })}
    >
      ${runs.map(
        (run, index) =>
          html`<option value=${run.id} .selected=${run.id === shown.runId}>
            ${runName(run, runs.length - index)}
          </option>`,
      )}
    </select>
  </label>`;
}

function noticeButton(label: string, onPress: () => void): TemplateResult {
  return html`<button type="button" class="secondary" @click=${onPress}>${label}</button>`;
}

function notices(props: PanelProps, panel: Panel): TemplateResult {
  const { engine, shown } = panel;
  return html`${
    engine.kind === 'failed' || engine.kind === 'outdated'
      ? html`<div class="notice error" role="alert">
          ${icon('warning')}<span>${engine.message}</span>
          ${
            engine.kind === 'failed'
              ? noticeButton('Retry', () => props.send({ type: 'retry' }))
              : noticeButton('Restart Engine', () => props.send({ type: 'restartEngine' }))
          }
          ${noticeButton('Show Log', () => props.send({ type: 'showLog' }))}
        </div>`
      : nothing
  }${
    panel.trusted
      ? nothing
      : html`<div class="notice">
          ${icon('warning')}<span>Runs need a workspace you trust; until then no engine is started.</span>
          ${noticeButton('Manage Workspace Trust', () => props.send({ type: 'manageTrust' }))}
        </div>`
  }${
    props.view.pausing === null
      ? nothing
      : html`<div class="notice" role="status">
          <span>Pausing once the calls in flight are answered. Pause Now breaks them off: they may be paid a second time.</span>
        </div>`
  }${
    shown?.summary?.status !== 'budget'
      ? nothing
      : html`<div class="notice">
          ${icon('warning')}<span>Stopped by its budget: ${shown.summary.message} Everything it has is kept.</span>
          ${
            panel.engine.kind === 'ready' && panel.trusted
              ? noticeButton('Resume with a New Cap...', () => props.send({ type: 'resume' }))
              : nothing
          }
        </div>`
  }${
    panel.refusal === ''
      ? nothing
      : html`<div class="notice error" role="alert">
          ${icon('warning')}<span>${panel.refusal}</span>
          ${noticeButton('Show Log', () => props.send({ type: 'showLog' }))}
        </div>`
  }${[...new Set(shown?.model.warnings)]
    .slice(-3)
    .map(
      (warning) => html`<div class="notice">${icon('warning')}<span>${warning}</span></div>`,
    )}${alarmsView(shown?.model.alarms ?? [])}`;
}

function emptyRun(panel: Panel): TemplateResult {
  return html`<section class="empty">
    <h2>No run yet</h2>
    <p>
      ${
        !panel.trusted
          ? 'Earlier runs are shown once you trust this workspace.'
          : panel.engine.kind === 'connecting'
            ? 'Looking for the engine.'
            : 'Run starts the loop. The score of every round appears here, with the replies as they change.'
      }
    </p>
  </section>`;
}

function loading(props: PanelProps): TemplateResult {
  return props.overdue
    ? html`<div class="notice error" role="alert">
        ${icon('warning')}<span>The editor window has not answered for five seconds.</span>
        <button type="button" class="secondary" @click=${() => props.send({ type: 'ready' })}>Retry</button>
        <button type="button" class="secondary" @click=${() => props.send({ type: 'showLog' })}>Show Log</button>
      </div>`
    : html`<p class="note boot">Opening the loop.</p>`;
}

function settings(props: PanelProps, panel: Panel): TemplateResult {
  return settingsView({
    description: panel.recipe.description,
    running: panel.shown?.summary?.status === 'running',
    failed: panel.engine.kind === 'failed' || !panel.trusted,
    onSet: (field, value) => props.send({ type: 'set', field, value }),
  });
}

function beforeRun(props: PanelProps, panel: Panel): TemplateResult {
  return html`<div class="blocks before">
    ${emptyRun(panel)} ${settings(props, panel)} ${wheelView(panel.recipe.description, null, false)}
  </div>`;
}

function withRun(props: PanelProps, panel: Panel, shown: ShownRun): TemplateResult {
  const { choices } = props.view;
  const { description } = panel.recipe;
  const { main } = shown.model;
  const running = shown.summary?.status === 'running';
  return html`<div class="blocks">
    <div class="gain">
      ${scoreView(shown, ({ runId, version }) => props.send({ type: 'openCandidate', runId, version }))}
      ${curveView({
        model: shown.model,
        width: props.chartWidth,
        selectedRound: choices.round === null ? null : shownRound(main, choices.round),
        onRound: (round) => props.choose({ round: round >= main.round ? null : round }),
      })}
    </div>
    ${solutionsView({
      model: shown.model,
      progress: running ? shown.progress : null,
      choices,
      onChoose: props.choose,
    })}
    ${wheelView(description, shown, running)} ${settings(props, panel)}
    <div class="aside">
      ${spendView(shown, props.now)}
      ${healthView(shown.model)}
      ${changesView(shown.changes, ({ evaluationId }) => props.send({ type: 'openEvaluation', evaluationId }))}
    </div>
  </div>`;
}

export function panelView(props: PanelProps): TemplateResult {
  const { view } = props;
  const { panel } = view;
  if (panel === null) return html`<main class="panel">${loading(props)}</main>`;
  const { shown, recipe } = panel;
  const { description } = recipe;
  return html`<main class="panel">
    <header>
      <div class="title">
        <h1>${description?.name ?? recipe.path}</h1>
        <p class="note">${description?.objective ?? ''}</p>
      </div>
      ${runChoice(props, panel)} ${actions(props, panel)}
    </header>
    ${costLine(panel)} ${notices(props, panel)}
    ${problemsView(description, (line) => props.send({ type: 'revealLine', line }))} ${progressView(shown)}
    ${shown === null ? beforeRun(props, panel) : withRun(props, panel, shown)}
  </main>`;
}
