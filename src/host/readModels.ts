/**
 * Owns what the window has read from the engine: each question asked once until something happens that changes its
 * answer. Deliberately resource-shaped: trees, documents and panel ask for runs and experiences, never for rows.
 */
import type { DataInspection, FileOptions } from '../core/model/dataset.ts';
import type { EvaluationId, RunId, SolutionId } from '../core/model/ids.ts';
import type {
  CandidateSummary,
  EvaluationDetail,
  EvaluationSummary,
  ExperienceCount,
  ExperienceDetail,
  ExperienceFilter,
  ExperiencePage,
  ExperienceSearchPage,
  RunDetail,
  RunSummary,
} from '../core/model/views.ts';
import {
  countExperiences,
  getEvaluation,
  getExperience,
  getRun,
  listCandidates,
  listEvaluations,
  listExperiences,
  listRuns,
  searchExperiences,
  type RequestDescriptor,
} from '../protocol/engine.ts';
import { inspectData } from '../protocol/data.ts';
import type { EngineLink } from './engineLink.ts';

export interface ReadModels {
  /** Newest first; empty where no engine is there and none is worth starting for it. */
  runs(): Promise<readonly RunSummary[]>;
  run(runId: RunId): Promise<RunDetail | null>;
  experienceCounts(runId: RunId): Promise<readonly ExperienceCount[]>;
  experiencePage(filter: ExperienceFilter, after: string | null, limit: number): Promise<ExperiencePage>;
  /** Experiences of a run that a search finds, newest first; kept like every other page. */
  searchPage(text: string, runId: RunId, after: string | null, limit: number): Promise<ExperienceSearchPage>;
  experience(solutionId: SolutionId): Promise<ExperienceDetail | null>;
  evaluations(runId: RunId): Promise<readonly EvaluationSummary[]>;
  evaluation(evaluationId: EvaluationId): Promise<EvaluationDetail | null>;
  candidates(runId: RunId): Promise<readonly CandidateSummary[]>;
  /** A data file looked through, once for each `stamp` of it. */
  inspection(file: string, options: FileOptions, stamp: number): Promise<DataInspection>;
  /** Forgets what was read of a run, and the list of runs. */
  forgetRun(runId: RunId): void;
  /** Forgets experiences of all runs: a judgement counts for equal experiences of any run. */
  forgetExperiences(): void;
  forgetAll(): void;
}

interface Kept {
  readonly runId: RunId | null;
  readonly isExperience: boolean;
  readonly answer: Promise<unknown>;
}

/** Answers kept at once; the oldest is forgotten first. A page of 100 experiences is some 100 KB. */
const mostKept = 300;

/** `wanted` says whether the engine is worth starting to list runs: the workspace has a database. */
export function createReadModels(
  link: Pick<EngineLink, 'request' | 'connect'>,
  wanted: () => Promise<boolean>,
): ReadModels {
  const kept = new Map<string, Kept>();

  function ask<Params, Result>(
    descriptor: RequestDescriptor<Params, Result>,
    params: Params,
    about: { readonly runId: RunId | null; readonly isExperience?: boolean; readonly stamp?: number },
  ): Promise<Result> {
    const key = `${descriptor.method} ${about.stamp ?? ''} ${JSON.stringify(params)}`;
    const known = kept.get(key);
    if (known !== undefined) return known.answer as Promise<Result>;
    const answer = link.request(descriptor, params);
    const entry: Kept = { runId: about.runId, isExperience: about.isExperience ?? false, answer };
    kept.set(key, entry);
    const oldest = kept.keys().next();
    if (kept.size > mostKept && oldest.done !== true) kept.delete(oldest.value);
    // A failure is told to who asked and not kept: the next question asks again.
    answer.catch(() => {
      if (kept.get(key) === entry) kept.delete(key);
    });
    return answer;
  }

  function forget(matches: (entry: Kept) => boolean): void {
    for (const [key, entry] of kept) if (matches(entry)) kept.delete(key);
  }

  return {
    async runs() {
      const start = (await wanted()) ? 'ifNeeded' : 'never';
      if ((await link.connect(start)) === null) return [];
      const runs = await ask(listRuns, {}, { runId: null });
      return [...runs].sort((left, right) => right.startedAt - left.startedAt);
    },
    run: (runId) => ask(getRun, { runId }, { runId }),
    experienceCounts: (runId) => ask(countExperiences, { runId }, { runId, isExperience: true }),
    experiencePage: (filter, after, limit) =>
      ask(listExperiences, { filter, after, limit }, { runId: filter.runId, isExperience: true }),
    searchPage: (text, runId, after, limit) =>
      ask(searchExperiences, { text, filter: { runId }, after, limit }, { runId, isExperience: true }),
    experience: (solutionId) => ask(getExperience, { solutionId }, { runId: null, isExperience: true }),
    evaluations: (runId) => ask(listEvaluations, { runId }, { runId }),
    evaluation: (evaluationId) => ask(getEvaluation, { evaluationId }, { runId: null }),
    candidates: (runId) => ask(listCandidates, { runId }, { runId }),
    inspection: (file, options, stamp) =>
      ask(inspectData, { file, options }, { runId: null, isExperience: false, stamp }),
    forgetRun: (runId) =>
      forget((entry) => entry.runId === runId || (entry.runId === null && !entry.isExperience)),
    forgetExperiences: () => forget((entry) => entry.isExperience),
    forgetAll: () => forget(() => true),
  };
}
