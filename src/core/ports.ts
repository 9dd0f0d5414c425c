/**
 * Owns the seams between the pure core and the world: what the loop needs from models, trainers, the store and time.
 * Deliberately knows no provider, no file and no process; adapters implement these.
 */
import type { Candidate, Evaluation } from './model/candidate.ts';
import type { EffectPage, EffectRecord, StepUsage } from './model/effect.ts';
import type { FileOptions } from './model/dataset.ts';
import type { Position, RunEvent, RunProgress, StoredEvent } from './model/event.ts';
import type { Annotation, Feedback, Refinement } from './model/feedback.ts';
import type {
  CandidateId,
  ContentHash,
  EffectKey,
  EvaluationId,
  ExperienceKey,
  RunId,
  SolutionId,
  TaskId,
} from './model/ids.ts';
import type { FinishReason, Solution, Split, Task, TokenUsage } from './model/task.ts';
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
  RunStatus,
  RunSummary,
} from './model/views.ts';

/** An AbortSignal fits this; the core has no DOM and no Node. */
export interface StopSignal {
  readonly aborted: boolean;
}

/** Calls handed out one by one, each when there is room for it: a call taken is a call made, for all the payer knows. */
export interface CallSource {
  /** Most that may still be taken. */
  readonly size: number;
  /** Null when there is none now and never will be. */
  next(): Promise<TakenCall | null>;
  /** A call that was taken and is certain not to have been sent. */
  giveBack(index: number): void;
  /** No more is wanted: whoever waits in `next` gets null. */
  close(): void;
}
export type TakenCall = { readonly index: number; readonly request: ModelRequest };

export interface Clock {
  /** Milliseconds since 1970, for people. */
  now(): number;
  /** Milliseconds from an arbitrary start that never jumps, for durations. */
  monotonic(): number;
}

export interface Log {
  info(message: string, detail?: unknown): void;
  warn(message: string, detail?: unknown): void;
  error(message: string, detail?: unknown): void;
}

export interface Message {
  readonly role: 'system' | 'user' | 'assistant';
  readonly content: string;
}

/** One model call. Everything that can change the answer is here, so its hash identifies the call. */
export interface ModelRequest {
  readonly messages: readonly Message[];
  /** 0 is greedy. */
  readonly temperature: number;
  readonly maxTokens: number;
  /** Unsigned 32-bit seed of this (item, sample)'s own random stream; results must not depend on batching. */
  readonly seed: number;
  /** Weights to answer with; null means the provider's own. */
  readonly weights: ContentHash | null;
  /** The answer must be JSON of this form; text as it comes when absent. */
  readonly responseFormat?: ResponseFormat;
  /** Log-probabilities of the answer's tokens are wanted, with this many of the likeliest alternatives each (0 to 20). */
  readonly logprobs?: number;
}

type JsonValue = string | number | boolean | null | readonly JsonValue[] | JsonObject;
export interface JsonObject {
  readonly [member: string]: JsonValue;
}

export interface ResponseFormat {
  /** Letters, digits, "_" and "-", at most 64: providers name the form by it. */
  readonly name: string;
  /** JSON Schema of an object. Whether a provider enforces it or is only told, what comes is checked by whoever asked. */
  readonly schema: JsonObject;
}

/** One token of an answer, with natural logarithms of probabilities. */
export interface TokenLogprob {
  readonly token: string;
  readonly logprob: number;
  /** The likeliest tokens at this place, likeliest first; may hold the token itself. */
  readonly alternatives: readonly { readonly token: string; readonly logprob: number }[];
}

/** A single call's failure is a value (law 7): the loop turns it into feedback and goes on. */
export type ModelAnswer =
  | {
      readonly ok: true;
      readonly text: string;
      readonly finish: FinishReason;
      readonly usage: TokenUsage;
      readonly model: string;
      readonly requestId: string | null;
      /** Absent when they were not asked for; null when they were and the provider gave none. */
      readonly logprobs?: readonly TokenLogprob[] | null;
    }
  | { readonly ok: false; readonly reason: string };

/** The provider as a whole cannot answer (no key, no server, no such model): the run pauses and says so. */
export class ProviderError extends Error {
  override readonly name = 'ProviderError';
}

export interface LanguageModel {
  /** The provider's id and model, stable, part of every effect key. */
  readonly name: string;
  /** US dollars for a million tokens, 0 for a model that costs nothing; null or absent when it is not known. */
  readonly price?: { readonly input: number; readonly output: number } | null;
  /** A hash of the place that answers and how it is asked; absent where an answer must not be taken from an earlier run. */
  readonly endpoint?: string;
  /**
   * Answers each request once, in any order, as answers arrive. Stops early, without error, when `stop` is set:
   * answers not yet yielded were not given. Throws ProviderError when the provider cannot answer at all.
   */
  generate(
    requests: readonly ModelRequest[],
    stop: StopSignal,
  ): AsyncIterable<{ readonly index: number; readonly answer: ModelAnswer }>;
  /** Absent or null where the provider has no batches. */
  readonly batches?: ModelBatches | null;
  /** This model as one of embeddings; absent where its provider makes none. Whether the model is one shows when it is asked. */
  readonly embedder?: Embedder;
  /** True where answers may come with log-probabilities when asked to; absent where they never do. */
  readonly givesLogprobs?: boolean;
  /** The same, taking calls as it has room for them, for models that charge for each; closes the source when it ends early. */
  answer?(
    source: CallSource,
    stop: StopSignal,
  ): AsyncIterable<{ readonly index: number; readonly answer: ModelAnswer }>;
}

/** One request of a batch, under the name its answer comes back by: at most 64 characters. */
export interface BatchCall {
  readonly id: string;
  readonly request: ModelRequest;
}

export type BatchNews =
  /** How far the provider says it is; requests that failed count as answered. */
  | { readonly kind: 'counts'; readonly answered: number }
  /** At most one for each call of the batch. */
  | { readonly kind: 'answer'; readonly id: string; readonly answer: ModelAnswer }
  /** What happened to this call may not happen again: it may be asked once more. */
  | { readonly kind: 'fault'; readonly id: string; readonly reason: string }
  /** The last news. Calls without an answer by now get none from this batch. */
  | { readonly kind: 'end'; readonly end: BatchEnd };

export type BatchEnd =
  /** Completed, expired, or refused as a whole for its requests: what is left may be asked again. `reason` says why it was. */
  | { readonly kind: 'over'; readonly reason: string }
  /** More than the provider takes at one time; nothing of it was asked. */
  | { readonly kind: 'tooMuch'; readonly reason: string }
  /** The provider will not, or a person cancelled it elsewhere: a sentence for people, and nothing more without their word. */
  | { readonly kind: 'stopped'; readonly reason: string };

/**
 * Answering many requests on a provider's own machines, within a day and usually for less. Knows no ledger: which batch
 * was submitted is for the caller to remember. Every method throws ProviderError when the provider cannot do it at all.
 */
export interface ModelBatches {
  /** US dollars for a million tokens asked for this way; null when not known. */
  readonly price: { readonly input: number; readonly output: number } | null;
  /** How many of these calls, from the first, one batch may hold; at least 1 of any. */
  fits(calls: readonly BatchCall[]): number;
  /**
   * Gives the id of the new batch, or null when `stop` was set before there was one. `tag` (at most 512 characters) is
   * kept beside it; `lookFirst` where an earlier try may have come as far: a batch by this tag is taken for it.
   */
  submit(
    calls: readonly BatchCall[],
    tag: string,
    lookFirst: boolean,
    stop: StopSignal,
  ): Promise<string | null>;
  /**
   * Waits for the end of a batch and gives its answers. `calls` are those whose answers are still wanted, in the order
   * they were submitted; `whole` says that these are all of them. Without an `end`, it was stopped.
   */
  collect(
    batch: string,
    calls: readonly BatchCall[],
    whole: boolean,
    stop: StopSignal,
  ): AsyncIterable<BatchNews>;
  /** Asks the provider to do no more of it; what it has answered may still be charged. */
  cancel(batch: string): Promise<void>;
}

export type EmbeddingAnswer =
  | {
      readonly ok: true;
      readonly vector: Float32Array;
      /** This text's part of what the provider counted for all it was asked for together; output is 0. */
      readonly usage: TokenUsage;
      readonly model: string;
      readonly requestId: string | null;
    }
  | { readonly ok: false; readonly reason: string };

/** Texts handed out one by one; see CallSource. */
export interface TextSource {
  readonly size: number;
  next(): Promise<{ readonly index: number; readonly text: string } | null>;
  giveBack(index: number): void;
  close(): void;
}

/** Texts to vectors of one length. */
export interface Embedder {
  /** The provider's id and model, stable, part of every effect key. */
  readonly name: string;
  /** US dollars for a million tokens; null or absent when it is not known. */
  readonly price?: { readonly input: number; readonly output: number } | null;
  /** As of a LanguageModel. */
  readonly endpoint?: string;
  /**
   * Embeds each text once, in any order, several in one request where they are there to be taken. Stops early, without
   * error, when `stop` is set. Throws ProviderError when the provider cannot answer at all. An empty text is a failure of
   * its own, and is not sent.
   */
  embed(
    texts: TextSource,
    stop: StopSignal,
  ): AsyncIterable<{ readonly index: number; readonly answer: EmbeddingAnswer }>;
}

/** One training sequence: the model learns `completion` after `messages`. */
export interface TrainingExample {
  readonly messages: readonly Message[];
  readonly completion: string;
}

/** Preference pair for DPO (Rafailov et al. 2023). */
export interface TrainingPair {
  readonly messages: readonly Message[];
  readonly chosen: string;
  readonly rejected: string;
}

export type TrainingData =
  | { readonly form: 'sft'; readonly examples: readonly TrainingExample[] }
  | {
      readonly form: 'pairs';
      readonly pairs: readonly TrainingPair[];
      readonly beta: number;
      readonly nllWeight: number;
    };

export interface TrainingJob {
  /** Weights to start from; null means the provider's own. */
  readonly base: ContentHash | null;
  readonly data: TrainingData;
  /** Extra examples from the model's own pre-training mixture, as a share of the data; digits bound the mixture. */
  readonly replay: { readonly share: number; readonly digits: readonly number[] } | null;
  readonly learningRate: number;
  readonly epochs: number;
  /** Unsigned 32-bit; fixes order and replay draws. */
  readonly seed: number;
}

export interface TrainingResult {
  /** New weights, already in the blob store. */
  readonly weights: ContentHash;
  /** Mean loss over the last pass. */
  readonly loss: number;
  readonly steps: number;
}

export interface Trainer {
  /** Deterministic: the same job on the same weights gives the same hash. Returns null when stopped before the end. */
  train(
    job: TrainingJob,
    stop: StopSignal,
    onProgress: (done: number, total: number) => void,
  ): Promise<TrainingResult | null>;
  /**
   * The mean of these weights, element by element, already in the blob store; equal lists give the same hash. Absent where
   * a trainer cannot. Throws ProviderError where they are not all of this model.
   */
  readonly average?: (weights: readonly ContentHash[]) => Promise<ContentHash>;
}

export interface Blobs {
  get(hash: ContentHash): Promise<Uint8Array | null>;
  /** Stores bytes once; returns their sha256. Durable when it returns. */
  put(bytes: Uint8Array): Promise<ContentHash>;
}

/** Everything one step made, appended in one durable transaction. Rows whose id exists already are left as they are. */
export interface Commit {
  readonly runId: RunId;
  readonly events: readonly RunEvent[];
  readonly tasks?: readonly Task[];
  readonly solutions?: readonly (Solution & { readonly at: Position; readonly key: ExperienceKey })[];
  readonly feedback?: readonly Feedback[];
  readonly refinements?: readonly Refinement[];
  readonly candidates?: readonly (Candidate & { readonly at: Position })[];
  readonly evaluations?: readonly (Evaluation & { readonly at: Position })[];
  readonly status?: { readonly status: RunStatus; readonly message: string };
}

export interface NewRun {
  readonly id: RunId;
  readonly recipeName: string;
  readonly recipePath: string;
  readonly recipeText: string;
  readonly seed: number;
  readonly rounds: number;
  readonly arms: readonly ('main' | 'control')[];
  /** Absolute path is never stored: data files are named as the recipe names them. */
  readonly startedAt: number;
}

/** What the loop needs of the store. Every method that writes is durable when it resolves; a failure to persist throws StoreError. */
export interface RunStore extends Blobs {
  createRun(run: NewRun): Promise<void>;
  /**
   * Appends once: a resumed run replays, so an event equal to one the run already holds is not stored again;
   * runPaused, runResumed and runEnded may repeat and are always stored. Returns what was new.
   */
  commit(commit: Commit): Promise<readonly StoredEvent[]>;
  findEffects(runId: RunId, keys: readonly EffectKey[]): Promise<ReadonlyMap<EffectKey, EffectRecord>>;
  settleEffects(runId: RunId, records: readonly EffectRecord[]): Promise<void>;
  /** Sum over the run's settled effects: what the budget has used. */
  spent(
    runId: RunId,
  ): Promise<{ readonly calls: number; readonly inputTokens: number; readonly outputTokens: number }>;
  /** The newest annotation of each key, all runs of the workspace. */
  annotations(): Promise<readonly (Annotation & { readonly task: Task; readonly output: string })[]>;
}

/** A failure to persist: the run ends at once and says so (law 7). */
export class StoreError extends Error {
  override readonly name = 'StoreError';
  /** errno name where there is one, for example ENOSPC. */
  readonly code: string | null;
  constructor(message: string, code: string | null = null, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

export type ProgressListener = (progress: RunProgress) => void;

/** What trees, panel and command line ask of the store. Answers come from maintained tables, never from a scan of a run. */
export interface StoreViews {
  /** Newest first. */
  runs(): Promise<readonly RunSummary[]>;
  run(id: RunId): Promise<RunDetail | null>;
  /** Events of a run with `seq` greater than `afterSeq`, in order, at most `limit`. */
  events(runId: RunId, afterSeq: number, limit: number): Promise<readonly StoredEvent[]>;
  experienceCounts(runId: RunId): Promise<readonly ExperienceCount[]>;
  /** Keyset page in the order the solutions were stored; `limit` at most 1,000. */
  experiences(filter: ExperienceFilter, after: string | null, limit: number): Promise<ExperiencePage>;
  /**
   * Experiences of all runs, or of the filter's, newest first: `score:<0.5 round:3 verdict:kept words "in a row" beginn*`.
   * Any text is a query; `limit` at most 1,000.
   */
  searchExperiences(
    text: string,
    filter: Partial<ExperienceFilter>,
    after: string | null,
    limit: number,
  ): Promise<ExperienceSearchPage>;
  experience(id: SolutionId): Promise<ExperienceDetail | null>;
  evaluations(runId: RunId): Promise<readonly EvaluationSummary[]>;
  evaluation(id: EvaluationId): Promise<EvaluationDetail | null>;
  /** Main arm first, then by version. */
  candidates(runId: RunId): Promise<readonly CandidateSummary[]>;
  candidate(id: CandidateId): Promise<Candidate | null>;
  /** Replaces the annotation with the same key; a verdict, score and note all empty removes it. Durable when it resolves. */
  annotate(annotation: Annotation): Promise<void>;
  /** The run's ledger in the order it was settled; `after` is 0, or `next` of the page before. */
  effects(runId: RunId, after: number, limit: number): Promise<EffectPage>;
  usageBySteps(runId: RunId): Promise<readonly StepUsage[]>;
}

export type Store = RunStore & StoreViews;

/** What a file says of a task beside the task itself. */
export interface TaskLabels {
  /** The split the file itself puts it in. */
  readonly split?: Split;
  /** Each split gets its share of every stratum. */
  readonly stratum?: string;
  /** Tasks of one group stay in one split. */
  readonly group?: string;
}

/** Tasks read from a user's file, with the lines that could not be: the first ones singly, `count` of them in each of the rest. */
export interface LoadedTasks {
  readonly tasks: readonly Task[];
  readonly skipped: readonly {
    readonly file: string;
    readonly line: number;
    readonly reason: string;
    /** Rows this stands for; one when absent. */
    readonly count?: number;
  }[];
  readonly labels?: ReadonlyMap<TaskId, TaskLabels>;
}

/** What an earlier run made of a task. */
export interface FormerExperience {
  /** With the split it had in that run, and what the best of its solutions answered as reference where it had none. */
  readonly task: Task;
  /** In [0, 1]; null when nobody judged. */
  readonly score: number | null;
}

export interface FormerExperiences {
  readonly run: string;
  readonly verdict: 'kept' | 'dropped' | 'corrected';
  /** Smallest score in [0, 1]; an experience nobody judged has none and is passed over. */
  readonly minScore?: number | undefined;
}

export interface TaskFiles {
  /** Reads a data file named by a recipe, relative to that recipe. Throws DataError when the file as a whole cannot be read. */
  load(file: string, split: Split, options?: FileOptions): Promise<LoadedTasks>;
  /** One for each task of that run, in a fixed order. Throws DataError when there is no such run or it is still running. */
  experiences?(wanted: FormerExperiences): Promise<readonly FormerExperience[]>;
}

/** A data file that cannot be used at all; the message names the file and what to do. */
export class DataError extends Error {
  override readonly name = 'DataError';
}
