/**
 * Owns the panel's state and how messages and a person's choices change it. Pure: no DOM, no editor API.
 * Only `choices` is the panel's own; all else is a picture of what the window sent.
 */
import type { Arm, RunProgress } from '../src/core/model/event.ts';
import type { RunSummary } from '../src/core/model/views.ts';
import type {
  PanelCandidate,
  PanelChange,
  PanelEngine,
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
}

export interface Panel {
  readonly recipe: PanelRecipe;
  readonly engine: PanelEngine;
  readonly trusted: boolean;
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
}

export const firstView: View = {
  panel: null,
  n: 0,
  choices: { round: null, arm: 'main', taskId: null },
};

function fromSnapshot(state: PanelState): Panel {
  const { shown } = state;
  return {
    recipe: state.recipe,
    engine: state.engine,
    trusted: state.trusted,
    runs: state.runs,
    refusal: '',
    shown:
      shown === null
        ? null
        : {
            runId: shown.runId,
            summary: state.runs.find((run) => run.id === shown.runId) ?? null,
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
    case 'refusal':
      return { ...panel, refusal: change.message };
    case 'runs':
      return {
        ...panel,
        runs: change.runs,
        shown:
          shown === null
            ? null
            : { ...shown, summary: change.runs.find((run) => run.id === shown.runId) ?? shown.summary },
      };
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
        : { ...panel, shown: { ...shown, progress: change.progress } };
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
    return { view: { panel, n: 0, choices }, gap: false };
  }
  if (view.panel === null || message.n <= view.n) return { view, gap: false };
  if (message.n !== view.n + 1) return { view, gap: true };
  return { view: { ...view, panel: applyChange(view.panel, message.change), n: message.n }, gap: false };
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
