/**
 * Owns the messages between a loop's panel (webview) and the editor window that hosts it, with the guards both ends
 * put before anything they receive. The panel says `ready`, gets one snapshot, then numbered changes; after a gap it
 * says `ready` again. Deliberately free of zod, so that the webview's bundle stays small, and of behaviour.
 */
import type { RunEstimate } from '../core/model/estimate.ts';
import type { RunProgress, StoredEvent } from '../core/model/event.ts';
import type { EvaluationId, RunId } from '../core/model/ids.ts';
import type { RunSummary } from '../core/model/views.ts';
import { recipeFields, type RecipeDescription, type RecipeField } from '../core/model/recipeView.ts';

export interface PanelRecipe {
  /** Path of the loop file relative to the workspace, with '/'. */
  readonly path: string;
  /** Null until the engine has read the text. */
  readonly description: RecipeDescription | null;
}

export type PanelEngine =
  | { readonly kind: 'connecting' }
  | { readonly kind: 'ready' }
  /** An engine of another version: runs can be looked at, not started. `message` is one sentence for a person. */
  | { readonly kind: 'outdated'; readonly message: string }
  /** `message` is one sentence for a person. */
  | { readonly kind: 'failed'; readonly message: string };

/** A task whose dev score changed in the newest evaluation of the loop. */
export interface ChangedExample {
  readonly input: string;
  readonly before: string;
  readonly after: string;
  readonly became: 'better' | 'worse';
}

export interface RoundChanges {
  readonly runId: RunId;
  readonly round: number;
  readonly evaluationId: EvaluationId;
  readonly better: number;
  readonly worse: number;
  /** A few of each, better first. */
  readonly examples: readonly ChangedExample[];
}

/** The candidate the loop goes on with. */
export interface PanelCandidate {
  readonly runId: RunId;
  readonly version: number;
  /** How it was made: "trained on 412 solutions". */
  readonly note: string;
  readonly instruction: string;
}

/** What a run of the recipe as its text stands would use. */
export type PanelEstimate =
  | { readonly kind: 'asking' }
  | { readonly kind: 'known'; readonly estimate: RunEstimate }
  /** `message` is one sentence for a person. */
  | { readonly kind: 'failed'; readonly message: string };

/** The run the panel shows: all its events so far, in order, and what it is doing now. */
export interface PanelRun {
  readonly runId: RunId;
  readonly events: readonly StoredEvent[];
  readonly progress: RunProgress | null;
  readonly changes: RoundChanges | null;
  readonly inUse: PanelCandidate | null;
}

export interface PanelState {
  readonly recipe: PanelRecipe;
  readonly engine: PanelEngine;
  /** False in a workspace the user has not trusted: runs can be looked at, not started. */
  readonly trusted: boolean;
  /** Null where there is nothing to estimate: no recipe, or one with problems. */
  readonly estimate: PanelEstimate | null;
  /** Runs of this loop file, newest first. */
  readonly runs: readonly RunSummary[];
  readonly shown: PanelRun | null;
}

export type PanelChange =
  | { readonly kind: 'recipe'; readonly recipe: PanelRecipe }
  | { readonly kind: 'engine'; readonly engine: PanelEngine }
  | { readonly kind: 'trust'; readonly trusted: boolean }
  | { readonly kind: 'estimate'; readonly estimate: PanelEstimate | null }
  | { readonly kind: 'runs'; readonly runs: readonly RunSummary[] }
  | { readonly kind: 'events'; readonly events: readonly StoredEvent[] }
  | { readonly kind: 'progress'; readonly progress: RunProgress }
  | { readonly kind: 'changes'; readonly changes: RoundChanges }
  | { readonly kind: 'inUse'; readonly inUse: PanelCandidate }
  /** What the last intent could not do, one sentence; '' takes an earlier one away. */
  | { readonly kind: 'refusal'; readonly message: string };

/** Editor window to panel. `n` counts messages since the snapshot, which is 0. */
export type PanelMessage =
  | { readonly type: 'snapshot'; readonly n: 0; readonly state: PanelState }
  | { readonly type: 'change'; readonly n: number; readonly change: PanelChange };

/** Panel to editor window. Every one asks; none assumes. */
export type PanelIntent =
  | { readonly type: 'ready' }
  | { readonly type: 'set'; readonly field: RecipeField; readonly value: number }
  | { readonly type: 'run' }
  /** Lets the calls in flight end. */
  | { readonly type: 'pause' }
  /** Breaks them off. */
  | { readonly type: 'pauseNow' }
  | { readonly type: 'resume' }
  | { readonly type: 'stop' }
  | { readonly type: 'show'; readonly runId: RunId }
  /** Line of the loop file, from 1. */
  | { readonly type: 'revealLine'; readonly line: number }
  | { readonly type: 'openEvaluation'; readonly evaluationId: EvaluationId }
  | { readonly type: 'openCandidate'; readonly runId: RunId; readonly version: number }
  | { readonly type: 'retry' }
  | { readonly type: 'restartEngine' }
  | { readonly type: 'showLog' }
  | { readonly type: 'manageTrust' };

const bareIntents = [
  'ready',
  'run',
  'pause',
  'pauseNow',
  'resume',
  'stop',
  'retry',
  'restartEngine',
  'showLog',
  'manageTrust',
] as const;

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isId(value: unknown): value is string {
  return typeof value === 'string' && value.length > 0 && value.length <= 200;
}

function isPositive(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 1;
}

/** The intent a message from the panel holds, rebuilt from its known fields only; null when it holds none. */
export function readPanelIntent(value: unknown): PanelIntent | null {
  if (!isRecord(value)) return null;
  const bare = bareIntents.find((type) => type === value['type']);
  if (bare !== undefined) return { type: bare };
  switch (value['type']) {
    case 'set': {
      const field = recipeFields.find((name) => name === value['field']);
      const number = value['value'];
      if (field === undefined || typeof number !== 'number' || !Number.isFinite(number)) return null;
      return { type: 'set', field, value: number };
    }
    case 'show':
      return isId(value['runId']) ? { type: 'show', runId: value['runId'] as RunId } : null;
    case 'openEvaluation':
      return isId(value['evaluationId'])
        ? { type: 'openEvaluation', evaluationId: value['evaluationId'] as EvaluationId }
        : null;
    case 'openCandidate': {
      const runId = value['runId'];
      const version = value['version'];
      return isId(runId) && isPositive(version)
        ? { type: 'openCandidate', runId: runId as RunId, version }
        : null;
    }
    case 'revealLine':
      return isPositive(value['line']) ? { type: 'revealLine', line: value['line'] } : null;
    default:
      return null;
  }
}

/** What each kind of change must carry for the panel to use it. */
const changeShapes: Readonly<
  Record<PanelChange['kind'], (change: Readonly<Record<string, unknown>>) => boolean>
> = {
  recipe: (change) => isRecord(change['recipe']) && typeof change['recipe']['path'] === 'string',
  engine: (change) => isRecord(change['engine']) && typeof change['engine']['kind'] === 'string',
  trust: (change) => typeof change['trusted'] === 'boolean',
  estimate: (change) => change['estimate'] === null || isRecord(change['estimate']),
  runs: (change) => Array.isArray(change['runs']),
  events: (change) => Array.isArray(change['events']),
  progress: (change) => isRecord(change['progress']) && isRecord(change['progress']['at']),
  changes: (change) => isRecord(change['changes']) && Array.isArray(change['changes']['examples']),
  inUse: (change) => isRecord(change['inUse']) && typeof change['inUse']['instruction'] === 'string',
  refusal: (change) => typeof change['message'] === 'string',
};

function isState(value: unknown): value is PanelState {
  if (!isRecord(value)) return false;
  const shown = value['shown'];
  return (
    isRecord(value['recipe']) &&
    isRecord(value['engine']) &&
    typeof value['trusted'] === 'boolean' &&
    (value['estimate'] === null || isRecord(value['estimate'])) &&
    Array.isArray(value['runs']) &&
    (shown === null || (isRecord(shown) && Array.isArray(shown['events'])))
  );
}

/** The message from the editor window, or null when it is not one (another frame's, a newer version's). */
export function readPanelMessage(value: unknown): PanelMessage | null {
  if (!isRecord(value)) return null;
  if (value['type'] === 'snapshot') {
    return value['n'] === 0 && isState(value['state']) ? (value as unknown as PanelMessage) : null;
  }
  const change = value['change'];
  if (value['type'] !== 'change' || !Number.isSafeInteger(value['n']) || !isRecord(change)) return null;
  const shape = Object.entries(changeShapes).find(([kind]) => kind === change['kind'])?.[1];
  return shape?.(change) === true ? (value as unknown as PanelMessage) : null;
}
