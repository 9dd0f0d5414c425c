/**
 * Owns taking a run out of the workspace as a bundle, and running one again. Deliberately asks no model: what a bundle has
 * no answer to is said, never paid for.
 */
import { statSync } from 'node:fs';
import { readBundle, writeBundle } from '../adapters/datasets/bundleFile.ts';
import { EngineError } from '../client/connection.ts';
import { type Bundle, recordingFiles, replayBundle } from '../core/loop/bundle.ts';
import { dataHash } from '../core/loop/execute.ts';
import { readAccount } from '../core/loop/journal.ts';
import { parseRecipe } from '../core/loop/parseRecipe.ts';
import { eventsHash } from '../core/loop/scratchStore.ts';
import { loadTaskSets } from '../core/loop/taskSets.ts';
import type { EffectRecord } from '../core/model/effect.ts';
import type { StoredEvent } from '../core/model/event.ts';
import type { ContentHash, RunId } from '../core/model/ids.ts';
import type { Clock, Store, TaskFiles } from '../core/ports.ts';
import type { BundleReport, ReplayReport } from '../protocol/engine.ts';

const page = 1_000;

/** Throws EngineError for a run that is not there or whose data has changed, DataError for a file that cannot be written. */
export async function bundleRun(
  runId: RunId,
  file: string,
  store: Store,
  filesOf: (recipePath: string) => TaskFiles,
): Promise<BundleReport> {
  const detail = await store.run(runId);
  if (detail === null) throw new EngineError('notFound', 'This run is not in the workspace any more.');
  const { run, recipeText } = detail;
  const { recipe } = parseRecipe(recipeText);
  const { sessions } = await readAccount(store, runId);
  const last = sessions.at(-1);
  if (recipe === null || last === undefined)
    throw new EngineError('invalid', 'This run has nothing to replay: it never began to work.');
  const recording = recordingFiles(filesOf(run.recipePath));
  const sets = await loadTaskSets(recipe, run.seed, recording.files);
  for (const era of last.origin?.eras ?? []) {
    const earlier = parseRecipe(era.recipeText).recipe;
    if (earlier !== null) await loadTaskSets(earlier, run.seed, recording.files);
  }
  if (dataHash(sets) !== last.data)
    throw new EngineError('changed', 'The data of this run has changed since it began; put it back first.');
  const effects = await allEffects(store, runId);
  const events = await allEvents(store, runId);
  const bundle: Bundle = {
    run: {
      id: run.id,
      recipeName: run.recipeName,
      recipePath: run.recipePath,
      recipeText,
      seed: run.seed,
      rounds: run.rounds,
      arms: run.arms,
      startedAt: run.startedAt,
    },
    effects,
    data: recording.data,
    blobs: await weightsOf(store, effects),
    eventsHash: eventsHash(events),
  };
  writeBundle(file, bundle);
  const answers = effects.filter(({ kind }) => kind === 'model' || kind === 'reused').length;
  return { file, bytes: statSync(file).size, answers, eventsHash: bundle.eventsHash };
}

/** Throws DataError for a file that is no whole bundle, ChangedError for one of an engine that decided otherwise. */
export async function replayFile(file: string, clock: Clock): Promise<ReplayReport> {
  const bundle = readBundle(file);
  const { end, calls, events, eventsHash: hash, same } = await replayBundle(bundle, clock);
  return {
    recipe: bundle.run.recipeName,
    seed: bundle.run.seed,
    eventsHash: hash,
    same,
    events: events.length,
    calls,
    message: end.message,
  };
}

async function allEffects(store: Store, runId: RunId): Promise<readonly EffectRecord[]> {
  const effects: EffectRecord[] = [];
  for (let after: number | null = 0; after !== null; ) {
    const { items, next } = await store.effects(runId, after, page);
    effects.push(...items);
    after = next;
  }
  return effects;
}

async function allEvents(store: Store, runId: RunId): Promise<readonly StoredEvent[]> {
  const events: StoredEvent[] = [];
  for (;;) {
    const more = await store.events(runId, events.at(-1)?.seq ?? 0, page);
    events.push(...more);
    if (more.length < page) return events;
  }
}

/** The weights that the run's training made. */
async function weightsOf(store: Store, effects: readonly EffectRecord[]): Promise<Bundle['blobs']> {
  const hashes = new Set<ContentHash>();
  for (const { kind, result } of effects) {
    if (kind !== 'training') continue;
    const made = JSON.parse(result) as { readonly weights?: ContentHash };
    if (made.weights !== undefined) hashes.add(made.weights);
  }
  const blobs: { hash: ContentHash; bytes: Uint8Array }[] = [];
  for (const hash of hashes) {
    const bytes = await store.get(hash);
    if (bytes !== null) blobs.push({ hash, bytes });
  }
  return blobs;
}
