/**
 * Owns what a window does when the engine reports something: forgets what it had read, then has single rows, documents
 * and the board asked anew, at most about once in a second. Deliberately the only subscriber that forgets.
 */
import type { RunId, SolutionId } from '../core/model/ids.ts';
import { annotationChanged, eventsAppended, runChanged, runsChanged } from '../protocol/engine.ts';
import type { EngineLink } from './engineLink.ts';
import { viewIds, type ViewId } from './ids.ts';
import type { ReadModels } from './readModels.ts';
import { throttle } from './throttle.ts';
import { rowsAffectedBy, rowsAffectedByRun, type AffectedRows } from './trees/affectedRows.ts';

export interface FollowOptions {
  readonly link: EngineLink;
  readonly models: ReadModels;
  readonly refreshRows: (view: ViewId, ids: readonly string[]) => void;
  readonly refreshAnnotated: (solutionId: SolutionId) => void;
  readonly refreshCandidates: (runId: RunId) => void;
  readonly refreshBoard: () => void;
}

const pauseMs = 800;

/** Returns the function that ends it. */
export function followEngine(options: FollowOptions): () => void {
  const { link, models } = options;
  const waiting = new Map<ViewId, Set<string>>();
  let known = false;
  const flush = throttle(pauseMs, () => {
    const rows = [...waiting];
    waiting.clear();
    for (const [view, ids] of rows) options.refreshRows(view, [...ids]);
    options.refreshBoard();
  });
  const add = (affected: AffectedRows) => {
    for (const view of viewIds) {
      const ids = affected[view];
      if (ids === undefined) continue;
      const rows = waiting.get(view) ?? new Set<string>();
      for (const id of ids) rows.add(id);
      waiting.set(view, rows);
    }
  };
  const ends = [
    link.on(eventsAppended, ({ events }) => {
      for (const stored of events) {
        models.forgetRun(stored.runId);
        add(rowsAffectedBy(stored));
        if (stored.event.kind === 'candidateAccepted' || stored.event.kind === 'evaluationMade') {
          options.refreshCandidates(stored.runId);
        }
      }
      flush.ask();
    }),
    link.on(runChanged, ({ run }) => {
      models.forgetRun(run.id);
      add(rowsAffectedByRun(run));
      flush.ask();
    }),
    link.on(runsChanged, () => {
      models.forgetAll();
      for (const view of viewIds) waiting.set(view, new Set(['']));
      flush.ask();
    }),
    link.on(annotationChanged, ({ solutionId }) => {
      models.forgetExperiences();
      options.refreshAnnotated(solutionId);
    }),
    link.onState((state) => {
      if (state.kind !== 'open' && state.kind !== 'failed') return;
      if (known || state.kind === 'failed') {
        // While the engine was away anything may have happened.
        models.forgetAll();
        for (const view of viewIds) waiting.set(view, new Set(['']));
      }
      known ||= state.kind === 'open';
      flush.ask();
    }),
  ];
  return () => {
    flush.end();
    for (const end of ends) end();
  };
}
