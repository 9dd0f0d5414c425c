/**
 * Owns the messages between a client (editor window, command line) and the workspace's engine process:
 * one descriptor a message, with the guard for what the client sends. Transport is vscode-jsonrpc on a private socket.
 * Deliberately holds no behaviour; both ends import the descriptors and never spell a method's name.
 */
import * as z from 'zod';
import type { Candidate } from '../core/model/candidate.ts';
import type { RunProgress, StoredEvent } from '../core/model/event.ts';
import type { RunEstimate } from '../core/model/estimate.ts';
import type { CandidateId, EvaluationId, RunId, SolutionId } from '../core/model/ids.ts';
import { recipeFields, type RecipeDescription, type TextEdit } from '../core/model/recipeView.ts';
import type {
  CandidateSummary,
  EvaluationDetail,
  EvaluationSummary,
  ExperienceCount,
  ExperienceDetail,
  ExperiencePage,
  ExperienceSearchPage,
  RunDetail,
  RunSummary,
} from '../core/model/views.ts';

/** Clients of another protocol version are told so and offered a restart between rounds. */
export const PROTOCOL_VERSION = 1;

export interface RequestDescriptor<Params, Result> {
  readonly method: string;
  readonly params: z.ZodType<Params>;
  /** Carries the result's type; never present at run time. */
  readonly result?: Result;
}

export interface NotificationDescriptor<Params> {
  readonly method: string;
  readonly payload?: Params;
}

function request<Result>() {
  return <Params>(method: string, params: z.ZodType<Params>): RequestDescriptor<Params, Result> => ({
    method,
    params,
  });
}

const text = z.string().max(10_000_000);
const id = <Id extends string>() => z.string().min(1).max(200) as unknown as z.ZodType<Id>;
const nothing = z.object({}).strict();
const ofRun = z.object({ runId: id<RunId>() }).strict();

export interface HelloResult {
  readonly protocol: number;
  readonly version: string;
  readonly pid: number;
  /** False when the engine was made by another version: only reading and restart are offered. */
  readonly compatible: boolean;
}

/** Must be the first message of a connection; any other first message, or a wrong token, closes it. */
export const hello = request<HelloResult>()(
  'ratchet/hello',
  z
    .object({
      token: z.string(),
      protocol: z.number(),
      version: z.string(),
      client: z.enum(['editor', 'cli']),
    })
    .strict(),
);

export const describeRecipe = request<RecipeDescription>()(
  'ratchet/recipe/describe',
  z.object({ text }).strict(),
);
/** The smallest edit that sets one setting and leaves every other byte as it is; null when the text is not a recipe. */
export const editRecipe = request<TextEdit | null>()(
  'ratchet/recipe/edit',
  z
    .object({
      text,
      field: z.enum(recipeFields),
      value: z.number(),
    })
    .strict(),
);

/** Starts a run of a recipe file (path relative to the workspace, '/'). Fails with the recipe's problems when it has any. */
export const startRun = request<{ readonly runId: RunId }>()(
  'ratchet/run/start',
  z
    .object({
      recipePath: z.string().min(1),
      seed: z.number().int().min(0).optional(),
      /** False to ask anew what earlier runs have answers to. */
      cache: z.boolean().optional(),
    })
    .strict(),
);
/** Stands still once the calls in flight are answered, or breaks them off; every settled answer is kept. */
export const pauseRun = request<null>()(
  'ratchet/run/pause',
  z.object({ runId: id<RunId>(), inFlight: z.enum(['finish', 'abort']).optional() }).strict(),
);
const caps = z
  .object({
    minutes: z.number().positive().max(100_000),
    calls: z.number().int().min(1).max(1_000_000_000),
    tokens: z.number().int().min(1).max(1_000_000_000_000),
    usd: z.number().positive().max(1_000_000),
  })
  .partial()
  .strict();
/** What a person is told before a run goes on that was not begun on this machine by this user, or has changed since. */
export interface ResumeQuestion {
  /** Whether a yes is needed at all. */
  readonly needed: boolean;
  /** As the recipe names it. */
  readonly model: string;
  readonly callsMade: number;
  /** Under the run's caps; null where it has no cap in calls. */
  readonly callsLeft: number | null;
  /** The caps on the whole run; null for none. */
  readonly tokens: number | null;
  readonly usd: number | null;
  /** Calls that were under way when it stood still, and will be made again. */
  readonly repeats: number;
  /** What has changed since the run began, one sentence; null where nothing has. Going on then needs `despiteChange`. */
  readonly changed: string | null;
}
export const inspectResume = request<ResumeQuestion>()('ratchet/run/inspectResume', ofRun);
/**
 * `confirmed`: a person said yes to what inspectResume told. `caps` hold over those so far and are recorded. Fails with
 * kind 'changed' where the recipe, the data or the engine has changed, unless `despiteChange` says to go on as recorded.
 */
export const resumeRun = request<null>()(
  'ratchet/run/resume',
  z
    .object({
      runId: id<RunId>(),
      confirmed: z.boolean().optional(),
      caps: caps.optional(),
      despiteChange: z.boolean().optional(),
    })
    .strict(),
);
/**
 * Begins a run that shares the rounds up to `through` with another and pays nothing for them, then goes on with the recipe
 * as its file says now, or as it was recorded. `retryFailed` asks what failed there once more.
 */
export const branchRun = request<{ readonly runId: RunId }>()(
  'ratchet/run/branch',
  z
    .object({
      runId: id<RunId>(),
      through: z.number().int().min(0).max(1000),
      recipe: z.enum(['file', 'recorded']),
      retryFailed: z.boolean().optional(),
      confirmed: z.boolean().optional(),
    })
    .strict(),
);
/** What a run of this text would use; `recipePath` says what its data files are relative to. */
export const estimateRecipe = request<RunEstimate>()(
  'ratchet/recipe/estimate',
  z.object({ recipePath: z.string().min(1), text }).strict(),
);
export interface BundleReport {
  readonly file: string;
  readonly bytes: number;
  readonly answers: number;
  readonly eventsHash: string;
}
/** Writes a run with everything it needs to be run again elsewhere; the file must not be there yet. */
export const bundleRun = request<BundleReport>()(
  'ratchet/run/bundle',
  z.object({ runId: id<RunId>(), file: z.string().min(1).max(4096) }).strict(),
);
export interface ReplayReport {
  readonly recipe: string;
  readonly seed: number;
  readonly eventsHash: string;
  /** Whether its events are those of the run that was bundled. */
  readonly same: boolean;
  readonly events: number;
  /** Calls the bundle had no answer to; none was made. */
  readonly calls: number;
  readonly message: string;
}
/** Runs a bundle again from itself alone: no model, no file of the workspace, no network. */
export const replayBundle = request<ReplayReport>()(
  'ratchet/run/replay',
  z.object({ file: z.string().min(1).max(4096) }).strict(),
);
/** Ends the run for good; what it made is kept. */
export const stopRun = request<null>()('ratchet/run/stop', ofRun);

/**
 * How a run came to stand still; `provider` means paused because the provider could not answer at all, `store` paused
 * because its progress could not be saved.
 */
export interface RunResult {
  readonly kind: 'done' | 'budget' | 'paused' | 'stopped' | 'provider' | 'store' | 'failed';
  readonly message: string;
  /** Of 'failed': true where Ratchet itself is at fault, and not the recipe or its data. */
  readonly defect?: boolean;
}
/** Answers when the run pauses or ends, at once when it stands still already. */
export const awaitRun = request<RunResult>()('ratchet/run/await', ofRun);

export const listRuns = request<readonly RunSummary[]>()('ratchet/runs', nothing);
export const getRun = request<RunDetail | null>()('ratchet/run', ofRun);
export const listEvents = request<readonly StoredEvent[]>()(
  'ratchet/events',
  z
    .object({
      runId: id<RunId>(),
      afterSeq: z.number().int().min(0),
      limit: z.number().int().min(1).max(10_000),
    })
    .strict(),
);
export const countExperiences = request<readonly ExperienceCount[]>()('ratchet/experiences/count', ofRun);
const experienceFilter = z
  .object({
    runId: id<RunId>(),
    arm: z.enum(['main', 'control']).optional(),
    round: z.number().int().min(0).optional(),
    verdict: z.enum(['kept', 'dropped', 'corrected', 'unrefined']).optional(),
    annotated: z.boolean().optional(),
  })
  .strict();
export const listExperiences = request<ExperiencePage>()(
  'ratchet/experiences',
  z
    .object({
      filter: experienceFilter,
      after: z.string().nullable(),
      limit: z.number().int().min(1).max(1000),
    })
    .strict(),
);
/** Experiences of all runs or of the filter's, newest first; any text is a query (ports.ts, searchExperiences). */
export const searchExperiences = request<ExperienceSearchPage>()(
  'ratchet/experiences/search',
  z
    .object({
      text: z.string().max(10_000),
      filter: experienceFilter.partial(),
      after: z.string().nullable(),
      limit: z.number().int().min(1).max(1000),
    })
    .strict(),
);
export const getExperience = request<ExperienceDetail | null>()(
  'ratchet/experience',
  z.object({ solutionId: id<SolutionId>() }).strict(),
);
export const listEvaluations = request<readonly EvaluationSummary[]>()('ratchet/evaluations', ofRun);
export const getEvaluation = request<EvaluationDetail | null>()(
  'ratchet/evaluation',
  z.object({ evaluationId: id<EvaluationId>() }).strict(),
);
export const listCandidates = request<readonly CandidateSummary[]>()('ratchet/candidates', ofRun);
export const getCandidate = request<Candidate | null>()(
  'ratchet/candidate',
  z.object({ candidateId: id<CandidateId>() }).strict(),
);
/** A person's judgement on a solution; verdict, score and note all empty takes it back. */
export const annotate = request<null>()(
  'ratchet/annotate',
  z
    .object({
      solutionId: id<SolutionId>(),
      verdict: z.enum(['accept', 'reject']).nullable(),
      score: z.number().min(0).max(1).nullable(),
      note: z.string().max(100_000),
    })
    .strict(),
);
export interface StoreState {
  /** A newer version made the database: it is shown, and every change is refused. */
  readonly readOnly: boolean;
  /** One sentence each: what was missing when it was opened, a restore that was finished. */
  readonly warnings: readonly string[];
  readonly runs: number;
  readonly experiences: number;
  /** Newest first. `madeAt` is milliseconds since 1970. */
  readonly backups: readonly {
    readonly file: string;
    readonly madeAt: number;
    readonly schema: number;
    readonly bytes: number;
  }[];
  /** Why the newest backup could not be made; null when it could. */
  readonly backupTrouble: string | null;
}

export interface StoreVerification {
  readonly ok: boolean;
  /** Rows and bytes read and compared. */
  readonly checked: number;
  /** One sentence each, at most a hundred. */
  readonly problems: readonly string[];
}

export interface StoreCompaction {
  readonly bytesBefore: number;
  readonly bytesAfter: number;
}

export interface StoreImport {
  /** Runs that are new here. */
  readonly runs: number;
  /** Runs that were here already. */
  readonly known: number;
  readonly experiences: number;
}

export interface StoreArchive {
  readonly experiences: number;
  /** Of the archive's file. */
  readonly bytes: number;
}

export interface StoreRestore {
  /** Of the backup, in milliseconds since 1970, with what it holds. */
  readonly madeAt: number;
  readonly runs: number;
  readonly experiences: number;
  /** What the damaged file is called now; null where there was none. */
  readonly keptAs: string | null;
  /** What was known to be there and is not in the backup. */
  readonly missing: { readonly runs: number; readonly experiences: number; readonly answers: number };
}

/** An absolute path on the engine's machine. */
const ofFile = z.object({ file: z.string().min(1).max(4096) }).strict();

export interface ConnectionReport {
  readonly ok: boolean;
  /** One sentence: what answers, or what exactly is wrong and what to do. */
  readonly message: string;
  /** What a person would have to change; null where nothing is wrong. */
  readonly problem: 'address' | 'network' | 'key' | 'model' | 'quota' | 'answer' | null;
  /** Models the endpoint lists; empty where it lists none. */
  readonly models: readonly string[];
}
/** Tries a provider: the list of its models, then the smallest call. Model '' only looks and lists. */
export const testProvider = request<ConnectionReport>()(
  'ratchet/provider/test',
  z.object({ provider: z.string().min(1).max(100), model: z.string().max(200) }).strict(),
);
/** A key was set or removed: the next exchange asks for it again. */
export const forgetKeys = request<null>()('ratchet/keys/forget', nothing);

export const storeState = request<StoreState>()('ratchet/store/state', nothing);
/** Reads and checks everything; runs go on meanwhile. */
export const verifyStore = request<StoreVerification>()('ratchet/store/verify', nothing);
export const compactStore = request<StoreCompaction>()('ratchet/store/compact', nothing);
/** Writes a file that any SQLite reads; it must not be there yet. */
export const exportStore = request<null>()('ratchet/store/export', ofFile);
/** Adds the runs of an exported file that are not here yet. */
export const importStore = request<StoreImport>()('ratchet/store/import', ofFile);
/**
 * Moves a run that stands still into a file of its own, which any SQLite reads and an import brings back. With `replace` a
 * file that is there gives way once the new one is whole.
 */
export const archiveRun = request<StoreArchive>()(
  'ratchet/store/archive',
  z.object({ runId: id<RunId>(), file: z.string().min(1).max(4096), replace: z.boolean() }).strict(),
);
/** Puts the newest good backup in the place of a damaged database and keeps that beside it; the engine ends after its answer. */
export const restoreStore = request<StoreRestore>()('ratchet/store/restore', nothing);
/** What becomes of running runs when the last client leaves and none comes back: told by each window, the newest word counts. */
export const setWindowWish = request<null>()(
  'ratchet/window/wish',
  z.object({ onLastWindowClosed: z.enum(['pause', 'goOn']) }).strict(),
);
/** Ends the engine process between rounds: running runs are paused first. */
export const shutdown = request<null>()('ratchet/shutdown', nothing);

/** New facts, to every client, after they are durable. */
export const eventsAppended: NotificationDescriptor<{ readonly events: readonly StoredEvent[] }> = {
  method: 'ratchet/eventsAppended',
};
/** What a running step is doing; at most about ten a second, may be dropped. */
export const progressMade: NotificationDescriptor<RunProgress> = { method: 'ratchet/progress' };
/** An annotation was written or taken back; views of experiences should be asked for again. */
export const annotationChanged: NotificationDescriptor<{ readonly solutionId: SolutionId }> = {
  method: 'ratchet/annotationChanged',
};
/** A run's status changed (also to running, paused and ended). */
export const runChanged: NotificationDescriptor<{ readonly run: RunSummary }> = {
  method: 'ratchet/runChanged',
};
/** Runs came or went otherwise than by running: everything read of them should be asked for again. */
export const runsChanged: NotificationDescriptor<Record<string, never>> = {
  method: 'ratchet/runsChanged',
};
/** Something about the database that a person should know, in one sentence. */
export const storeWarned: NotificationDescriptor<{ readonly message: string }> = {
  method: 'ratchet/storeWarned',
};
