/**
 * Owns what one panel is told: a snapshot when it says it is ready, then numbered changes. Deliberately free of the
 * editor's types, so that order, gaps and reconnects can be tested without one.
 */
import type { StoredEvent } from '../../core/model/event.ts';
import type { EvaluationId, RunId } from '../../core/model/ids.ts';
import type { RunSummary } from '../../core/model/views.ts';
import { describeRecipe, estimateRecipe, listEvents } from '../../protocol/engine.ts';
import type {
  ChangedExample,
  PanelCandidate,
  PanelChange,
  PanelEngine,
  PanelEstimate,
  PanelMessage,
  PanelRecipe,
  PanelRun,
  PanelState,
  RoundChanges,
} from '../../protocol/panel.ts';
import type { EngineLink, LinkState } from '../engineLink.ts';
import type { ReadModels } from '../readModels.ts';
import { changedFor } from '../trees/evaluationsTree.ts';

export interface FeedOptions {
  readonly link: Pick<EngineLink, 'request' | 'state'>;
  readonly models: ReadModels;
  /** Path of the loop file relative to the workspace. */
  readonly recipePath: string;
  /** The loop file's text as it stands in the editor, saved or not. */
  readonly text: () => string;
  readonly trusted: () => boolean;
  /** The run to show first; null is the newest. */
  readonly show: RunId | null;
  readonly post: (message: PanelMessage) => void;
}

/** Events fetched at a time. */
const eventPage = 5_000;
/** Examples shown of each side of what a round changed. */
const examplesShown = 3;

function engineOf(state: LinkState): PanelEngine {
  switch (state.kind) {
    case 'open': {
      const { compatible, version } = state.connection.hello;
      if (compatible) return { kind: 'ready' };
      const message = `The engine of this workspace is version ${version}, another one than this window's: it shows runs but starts none. It can be restarted between rounds.`;
      return { kind: 'outdated', message };
    }
    case 'failed':
      return { kind: 'failed', message: state.message };
    case 'idle':
    case 'connecting':
      return { kind: 'connecting' };
  }
}

export class PanelFeed {
  readonly #options: FeedOptions;
  /** Messages since the snapshot; null before the first, while nothing may be sent. */
  #n: number | null = null;
  #shownId: RunId | null = null;
  /** Runs of this loop that were there at some look: another is new, however it stands when it is told of. */
  readonly #known = new Set<RunId>();
  #lastSeq = 0;
  #snapshots = 0;
  /** Events that came while a snapshot was being put together; the snapshot may lack them. */
  #early: StoredEvent[] | null = null;
  #descriptions = 0;
  #recipe: PanelRecipe;
  #estimates = 0;
  #estimate: PanelEstimate | null = null;

  constructor(options: FeedOptions) {
    this.#options = options;
    this.#recipe = { path: options.recipePath, description: null };
    this.#shownId = options.show;
  }

  get shownRun(): RunId | null {
    return this.#shownId;
  }

  /** Nothing is sent to a panel nobody sees; it asks anew when it is seen again. */
  sleep(): void {
    this.#n = null;
    this.#early = null;
    this.#snapshots += 1;
  }

  /** Sends a snapshot of everything. A later call overtakes an earlier one that is still being put together. */
  async snapshot(show?: RunId): Promise<void> {
    const { models, link } = this.#options;
    this.#snapshots += 1;
    const mine = this.#snapshots;
    this.#n = null;
    this.#early = [];
    // Starting the engine may take seconds: say so meanwhile.
    if (link.state().kind !== 'open') this.#post([], null);
    await this.#describe();
    const runs = await this.#runs();
    const wanted = show ?? this.#shownId;
    const run = runs.find((item) => item.id === wanted) ?? runs[0] ?? null;
    const shown = run === null ? null : await this.#read(run, models).catch(() => null);
    if (mine !== this.#snapshots) return;
    this.#shownId = shown?.runId ?? null;
    this.#lastSeq = shown?.events.at(-1)?.seq ?? 0;
    this.#n = 0;
    this.#post(runs, shown);
    void this.#estimateAnew();
    const early = this.#early ?? [];
    this.#early = null;
    this.onEvents(early);
  }

  /** Events of any run, in order; those of the shown run that the panel does not have yet are sent on. */
  onEvents(events: readonly StoredEvent[]): void {
    this.#early?.push(...events);
    const news = events.filter((event) => event.runId === this.#shownId && event.seq > this.#lastSeq);
    if (this.#n === null || news.length === 0) return;
    this.#lastSeq = news.at(-1)?.seq ?? this.#lastSeq;
    this.change({ kind: 'events', events: news });
    if (news.some(({ event }) => event.kind === 'candidateAccepted' && event.at.arm === 'main')) {
      this.#later(this.#inUse(news[0]?.runId), (inUse) => ({ kind: 'inUse', inUse }));
    }
    const evaluated = news.findLast(
      ({ event }) => event.kind === 'evaluationMade' && event.suite === 'dev' && event.at.arm === 'main',
    );
    if (evaluated?.event.kind === 'evaluationMade') {
      this.#later(this.#changesOf(evaluated.runId, evaluated.event.evaluationId), (changes) => ({
        kind: 'changes',
        changes,
      }));
    }
  }

  /** A run of this loop began, paused, went on or ended: in whatever window. A new one is shown. */
  async onRun(run: RunSummary): Promise<void> {
    if (run.recipePath !== this.#options.recipePath || this.#n === null) return;
    const isNew = !this.#known.has(run.id) || run.status === 'running';
    const runs = await this.#runs();
    if (isNew && runs[0]?.id === run.id && this.#shownId !== run.id) {
      await this.snapshot(run.id);
      return;
    }
    this.change({ kind: 'runs', runs });
    // What a run has used narrows what the next one is expected to use.
    if (run.status !== 'running') void this.#estimateAnew();
  }

  /** Scores and calls of the shown runs, which change with every round. */
  async refreshRuns(): Promise<void> {
    if (this.#n !== null) this.change({ kind: 'runs', runs: await this.#runs() });
  }

  /** The loop file's text changed. */
  async onText(): Promise<void> {
    if (!(await this.#describe())) return;
    this.change({ kind: 'recipe', recipe: this.#recipe });
    await this.#estimateAnew();
  }

  change(change: PanelChange): void {
    if (this.#n === null) return;
    this.#n += 1;
    this.#options.post({ type: 'change', n: this.#n, change });
  }

  onEngine(state: LinkState): void {
    this.change({ kind: 'engine', engine: engineOf(state) });
  }

  /** Sends what an event only points at, when it has been asked for; without it the panel stays right, only poorer. */
  #later<Value>(asked: Promise<Value | null>, changeOf: (value: Value) => PanelChange): void {
    asked
      .then((value) => {
        if (value !== null) this.change(changeOf(value));
      })
      .catch(() => undefined);
  }

  async #inUse(runId: RunId | undefined): Promise<PanelCandidate | null> {
    if (runId === undefined) return null;
    const candidates = await this.#options.models.candidates(runId);
    const own = candidates.filter((item) => item.at.arm === 'main');
    const found = own.find((item) => item.status === 'inUse') ?? own.find((item) => item.status === 'start');
    if (found === undefined) return null;
    const { note, state } = found.candidate;
    return { runId, version: found.version, note, instruction: state.instruction };
  }

  /** True when this answer is the newest: while one is under way the text may change again. */
  async #describe(): Promise<boolean> {
    this.#descriptions += 1;
    const mine = this.#descriptions;
    const { link, text, recipePath } = this.#options;
    try {
      const description = await link.request(describeRecipe, { text: text() });
      if (mine !== this.#descriptions) return false;
      this.#recipe = { path: recipePath, description };
      return true;
    } catch {
      // The engine's state, which the panel shows, says why.
      return false;
    }
  }

  /** Asks what a run of the text as it stands would use; an answer that a newer text has overtaken is dropped. */
  async #estimateAnew(): Promise<void> {
    this.#estimates += 1;
    const mine = this.#estimates;
    const { link, text, recipePath, trusted } = this.#options;
    const tell = (estimate: PanelEstimate | null) => {
      if (mine !== this.#estimates) return;
      this.#estimate = estimate;
      this.change({ kind: 'estimate', estimate });
    };
    if (!trusted() || this.#recipe.description?.problems.length !== 0) return tell(null);
    if (this.#estimate?.kind !== 'known') tell({ kind: 'asking' });
    try {
      tell({ kind: 'known', estimate: await link.request(estimateRecipe, { recipePath, text: text() }) });
    } catch (error) {
      tell({ kind: 'failed', message: error instanceof Error ? error.message : String(error) });
    }
  }

  #post(runs: readonly RunSummary[], shown: PanelRun | null): void {
    const { link, trusted, post } = this.#options;
    const engine = engineOf(link.state());
    const state: PanelState = {
      recipe: this.#recipe,
      engine,
      trusted: trusted(),
      estimate: this.#estimate,
      runs,
      shown,
    };
    post({ type: 'snapshot', n: 0, state });
  }

  async #runs(): Promise<readonly RunSummary[]> {
    const runs = await this.#options.models.runs().catch(() => []);
    const own = runs.filter((run) => run.recipePath === this.#options.recipePath);
    for (const { id } of own) this.#known.add(id);
    return own;
  }

  async #read(run: RunSummary, models: ReadModels): Promise<PanelRun> {
    const events: StoredEvent[] = [];
    for (;;) {
      const afterSeq = events.at(-1)?.seq ?? 0;
      const page = await this.#options.link.request(listEvents, {
        runId: run.id,
        afterSeq,
        limit: eventPage,
      });
      events.push(...page);
      if (page.length < eventPage) break;
    }
    const evaluations = await models.evaluations(run.id);
    const newest = evaluations.findLast((item) => item.suite === 'dev' && item.at.arm === 'main');
    const changes = newest === undefined ? null : await this.#changesOf(run.id, newest.id);
    return { runId: run.id, events, progress: null, changes, inUse: await this.#inUse(run.id) };
  }

  async #changesOf(runId: RunId, evaluationId: EvaluationId): Promise<RoundChanges | null> {
    const detail = await this.#options.models.evaluation(evaluationId);
    if (detail === null || detail.previous === null) return null;
    const better = changedFor(detail, 'better');
    const worse = changedFor(detail, 'worse');
    const examples = (became: ChangedExample['became'], tasks: typeof better): readonly ChangedExample[] =>
      tasks.slice(0, examplesShown).map(({ task, before, after }) => ({
        input: task.input,
        before: before.output,
        after: after.output,
        became,
      }));
    return {
      runId,
      round: detail.summary.at.round,
      evaluationId,
      better: better.length,
      worse: worse.length,
      examples: [...examples('better', better), ...examples('worse', worse)],
    };
  }
}
