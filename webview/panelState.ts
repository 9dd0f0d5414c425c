/**
 * Owns the panel's state and how messages and a person's choices change it. Pure: no DOM, no editor API.
 * Only `choices` is the panel's own; all else is a picture of what the window sent.
 */
import type { RunCost } from '../src/core/model/cost.ts';
import type { Arm, RunProgress } from '../src/core/model/event.ts';
import type { RunSummary } from '../src/core/model/views.ts';
import type {
  PanelCandidate,
  PanelChange,
  PanelEngine,
  PanelEstimate,
  PanelIntent,
  PanelMessage,
  PanelRecipe,
  PanelState,
  RoundChanges,
} from '../src/protocol/panel.ts';
import { emptyRun, foldEvents, type RunModel } from './runModel.ts';

/** What a person picked to look at; kept over a hidden or reloaded panel. */
export interface Choices {
  /** Null follows the newest round. */
  readonly round: number | null;
  readonly arm: Arm;
  /** The task whose replies are shown through all rounds; null is the first. */
  readonly taskId: string | null;
}

export interface ShownRun {
  readonly summary: RunSummary | null;
  readonly runId: string;
  readonly model: RunModel;
  readonly progress: RunProgress | null;
  readonly changes: RoundChanges | null;
  readonly inUse: PanelCandidate | null;
  /** The newest that is known of what it has used; null where nobody has said. */
  readonly cost: RunCost | null;
}

export interface Panel {
  readonly recipe: PanelRecipe;
  readonly engine: PanelEngine;
  readonly trusted: boolean;
  readonly estimate: PanelEstimate | null;
  readonly runs: readonly RunSummary[];
  readonly shown: ShownRun | null;
  readonly refusal: string;
}

export interface View {
  /** Null until the first snapshot. */
  readonly panel: Panel | null;
  /** Number of the last message taken in. */
  readonly n: number;
  readonly choices: Choices;
  /** The running run a person has asked to pause; its calls in flight are being answered. */
  readonly pausing: string | null;
}

export const firstView: View = {
  panel: null,
  n: 0,
  choices: { round: null, arm: 'main', taskId: null },
  pausing: null,
};

/** Progress comes oftener than summaries, which may be older; a run at rest has the last word. */
function newerCost(before: RunCost | null, summary: RunSummary | null): RunCost | null {
  const told = summary?.cost ?? null;
  if (before === null || told === null) return told ?? before;
  return summary?.status === 'running' && told.calls < before.calls ? before : told;
}

function fromSnapshot(state: PanelState): Panel {
  const { shown } = state;
  const summary = state.runs.find((run) => run.id === shown?.runId) ?? null;
  return {
    recipe: state.recipe,
    engine: state.engine,
    trusted: state.trusted,
    estimate: state.estimate,
    runs: state.runs,
    refusal: '',
    shown:
      shown === null
        ? null
        : {
            runId: shown.runId,
            summary,
            cost: newerCost(shown.progress?.cost ?? null, summary),
            model: foldEvents(emptyRun, shown.events),
            progress: shown.progress,
            changes: shown.changes,
            inUse: shown.inUse,
          },
  };
}

function applyChange(panel: Panel, change: PanelChange): Panel {
  const { shown } = panel;
  switch (change.kind) {
    case 'recipe':
      return { ...panel, recipe: change.recipe };
    case 'engine':
      return { ...panel, engine: change.engine };
    case 'trust':
      return { ...panel, trusted: change.trusted };
    case 'estimate':
      return { ...panel, estimate: change.estimate };
    case 'refusal':
      return { ...panel, refusal: change.message };
    case 'runs': {
      if (shown === null) return { ...panel, runs: change.runs };
      const summary = change.runs.find((run) => run.id === shown.runId) ?? shown.summary;
      return {
        ...panel,
        runs: change.runs,
        shown: { ...shown, summary, cost: newerCost(shown.cost, summary) },
      };
    }
    case 'events': {
      if (shown === null) return panel;
      const events = change.events.filter((event) => event.runId === shown.runId);
      const model = foldEvents(shown.model, events);
      // A step's last progress must not stand beside the next step's events.
      const stale =
        shown.progress !== null &&
        (shown.progress.at.step !== model.wheel.step || shown.progress.at.round !== model.wheel.round);
      return { ...panel, shown: { ...shown, model, progress: stale ? null : shown.progress } };
    }
    case 'progress':
      return shown === null || shown.runId !== change.progress.runId
        ? panel
        : {
            ...panel,
            shown: { ...shown, progress: change.progress, cost: change.progress.cost ?? shown.cost },
          };
    case 'changes':
      return shown === null || shown.runId !== change.changes.runId
        ? panel
        : { ...panel, shown: { ...shown, changes: change.changes } };
    case 'inUse':
      return shown === null || shown.runId !== change.inUse.runId
        ? panel
        : { ...panel, shown: { ...shown, inUse: change.inUse } };
  }
}

/** The view after a message. `gap` is true when a message is missing and a new snapshot has to be asked for. */
export function receive(view: View, message: PanelMessage): { readonly view: View; readonly gap: boolean } {
  if (message.type === 'snapshot') {
    const panel = fromSnapshot(message.state);
    const sameRun = view.panel?.shown?.runId === panel.shown?.runId || view.panel === null;
    const choices = sameRun ? view.choices : { ...view.choices, round: null };
    return { view: settled({ ...view, panel, n: 0, choices }), gap: false };
  }
  if (view.panel === null || message.n <= view.n) return { view, gap: false };
  if (message.n !== view.n + 1) return { view, gap: true };
  const panel = applyChange(view.panel, message.change);
  return { view: settled({ ...view, panel, n: message.n }), gap: false };
}

/** The view after a person has asked for something. */
export function asked(view: View, { type }: PanelIntent): View {
  if (type !== 'pause' && type !== 'pauseNow') return view;
  return { ...view, pausing: view.panel?.shown?.runId ?? null };
}

/** A pause that was asked for is over when the run stands still, another one is shown, or it was refused. */
function settled(view: View): View {
  const shown = view.panel?.shown ?? null;
  const over =
    shown?.runId !== view.pausing || shown?.summary?.status !== 'running' || view.panel?.refusal !== '';
  return view.pausing !== null && over ? { ...view, pausing: null } : view;
}

/** Choices as the editor kept them over a reload, or the first ones where they are not what they should be. */
export function readChoices(value: unknown): Choices {
  if (typeof value !== 'object' || value === null) return firstView.choices;
  const kept = value as Readonly<Record<string, unknown>>;
  return {
    round: typeof kept['round'] === 'number' ? kept['round'] : null,
    arm: kept['arm'] === 'control' ? 'control' : 'main',
    taskId: typeof kept['taskId'] === 'string' ? kept['taskId'] : null,
  };
}
