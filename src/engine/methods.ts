/**
 * Owns which request does what: each descriptor of the protocol bound to the store, the runs or the recipe functions.
 * Parameters pass their guard before they reach a handler. Deliberately knows neither sockets nor clients.
 */
import { EngineError } from '../client/connection.ts';
import { editRecipe, describeRecipe } from '../core/loop/describe.ts';
import { experienceKey } from '../core/measure/identity.ts';
import type { RunEstimate } from '../core/model/estimate.ts';
import type { RunId, SolutionId } from '../core/model/ids.ts';
import type { ExperienceFilter } from '../core/model/views.ts';
import type { Clock, Store } from '../core/ports.ts';
import * as protocol from '../protocol/engine.ts';
import { dataMethods } from './dataMethods.ts';
import { change, read, type Method } from './method.ts';
import type { Providers } from './providers.ts';
import type { Runs } from './runs.ts';
import type { StoreUpkeep } from './storeUpkeep.ts';

export interface MethodsContext {
  /** Folder whose files may be looked through. */
  readonly workspace: string;
  readonly store: () => Promise<Store>;
  readonly runs: Runs;
  readonly upkeep: StoreUpkeep;
  readonly providers: Pick<Providers, 'test' | 'forgetKeys'>;
  readonly estimate: (recipePath: string, text: string) => Promise<RunEstimate>;
  readonly bundle: (runId: RunId, file: string) => Promise<protocol.BundleReport>;
  readonly replay: (file: string) => Promise<protocol.ReplayReport>;
  readonly onWindowWish: (wish: 'pause' | 'goOn') => void;
  readonly clock: Pick<Clock, 'now'>;
  readonly onAnnotated: (solutionId: SolutionId) => void;
  /** Pauses what is running, then lets the process end after the answer has left. */
  readonly onShutdown: () => Promise<void>;
}

export type Methods = ReadonlyMap<string, Method>;

export function createMethods(context: MethodsContext): Methods {
  const { store, runs, upkeep, providers } = context;
  const done = (work: Promise<unknown>) => work.then(() => null);
  return new Map([
    read(protocol.describeRecipe, async ({ text }) => describeRecipe(text)),
    read(protocol.editRecipe, async ({ text, field, value }) => editRecipe(text, field, value)),
    change(protocol.startRun, async ({ recipePath, seed, cache }) => ({
      runId: await runs.start(recipePath, seed, cache),
    })),
    change(protocol.pauseRun, ({ runId, inFlight }) => done(runs.pause(runId, inFlight ?? 'finish'))),
    read(protocol.inspectResume, ({ runId }) => runs.inspectResume(runId)),
    change(protocol.resumeRun, ({ runId, confirmed = false, caps, despiteChange = false }) =>
      done(runs.resume({ runId, confirmed, caps, despiteChange })),
    ),
    change(protocol.branchRun, async ({ retryFailed = false, confirmed = false, ...wish }) => ({
      runId: await runs.branch({ ...wish, retryFailed, confirmed }),
    })),
    read(protocol.estimateRecipe, ({ recipePath, text }) => context.estimate(recipePath, text)),
    read(protocol.bundleRun, ({ runId, file }) => context.bundle(runId, file)),
    read(protocol.replayBundle, ({ file }) => context.replay(file)),
    change(protocol.stopRun, ({ runId }) => done(runs.stop(runId))),
    read(protocol.awaitRun, ({ runId }) => runs.outcome(runId)),
    read(protocol.listRuns, async () => (await store()).runs()),
    read(protocol.getRun, async ({ runId }) => (await store()).run(runId)),
    read(protocol.listEvents, async (page) => (await store()).events(page.runId, page.afterSeq, page.limit)),
    read(protocol.countExperiences, async ({ runId }) => (await store()).experienceCounts(runId)),
    read(protocol.listExperiences, async ({ filter, after, limit }) =>
      // JSON has no undefined, so an optional member that is there has a value.
      (await store()).experiences(filter as ExperienceFilter, after, limit),
    ),
    read(protocol.searchExperiences, async ({ text, filter, after, limit }) =>
      (await store()).searchExperiences(text, filter as Partial<ExperienceFilter>, after, limit),
    ),
    read(protocol.getExperience, async ({ solutionId }) => (await store()).experience(solutionId)),
    read(protocol.listEvaluations, async ({ runId }) => (await store()).evaluations(runId)),
    read(protocol.getEvaluation, async ({ evaluationId }) => (await store()).evaluation(evaluationId)),
    read(protocol.listCandidates, async ({ runId }) => (await store()).candidates(runId)),
    read(protocol.getCandidate, async ({ candidateId }) => (await store()).candidate(candidateId)),
    change(protocol.annotate, (judgement) => done(annotate(judgement, context))),
    change(protocol.testProvider, ({ provider, model }) => providers.test(provider, model)),
    read(protocol.forgetKeys, async () => {
      providers.forgetKeys();
      return null;
    }),
    read(protocol.setWindowWish, async ({ onLastWindowClosed }) => {
      context.onWindowWish(onLastWindowClosed);
      return null;
    }),
    read(protocol.storeState, () => upkeep.state()),
    read(protocol.verifyStore, () => upkeep.verify()),
    change(protocol.compactStore, () => upkeep.compact()),
    read(protocol.exportStore, ({ file }) => done(upkeep.exportTo(file))),
    change(protocol.importStore, ({ file }) => upkeep.importFrom(file)),
    change(protocol.archiveRun, (request) => upkeep.archive(request)),
    change(protocol.restoreStore, () => upkeep.restore()),
    ...dataMethods(context.workspace),
    read(protocol.shutdown, () => done(context.onShutdown())),
  ]);
}

async function annotate(
  judgement: {
    solutionId: SolutionId;
    verdict: 'accept' | 'reject' | null;
    score: number | null;
    note: string;
  },
  context: MethodsContext,
): Promise<void> {
  const store = await context.store();
  const experience = await store.experience(judgement.solutionId);
  if (experience === null)
    throw new EngineError('notFound', 'This experience is not in the workspace any more.');
  const key = experienceKey(experience.task, experience.solution.output);
  await store.annotate({ ...judgement, key, time: context.clock.now() });
  context.onAnnotated(judgement.solutionId);
}
