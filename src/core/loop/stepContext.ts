/** Owns what every step of a round is given and what it returns. Deliberately no behaviour. */
import type { EventBody, Position } from '../model/event.ts';
import type { RunId } from '../model/ids.ts';
import type { Commit, LanguageModel, ModelAnswer } from '../ports.ts';
import type { ArmState, RoundValues } from './arm.ts';
import type { Vectors } from './embed.ts';
import type { Call, Ledger } from './ledger.ts';
import type { Recipe } from './recipe.ts';
import type { RunControl, RunServices } from './services.ts';
import type { TaskSets } from './taskSets.ts';

export interface RunContext {
  readonly id: RunId;
  readonly recipe: Recipe;
  readonly seed: number;
  readonly model: LanguageModel;
  readonly sets: TaskSets;
  readonly ledger: Ledger;
  /** The ledger of another model's calls, under the same budget. Rejects with ProviderError when there is no such provider. */
  readonly ledgerOf: (provider: string) => Promise<Ledger>;
  /** The ledger of its embeddings (embed.ts). Rejects with ProviderError when there is no such provider, or it makes none. */
  readonly embeddingsOf: (provider: string) => Promise<Ledger>;
  readonly services: RunServices;
  readonly control: RunControl;
  /** In order; the run's own recipe holds after the last. */
  readonly eras: readonly RecipeEra[];
}

/** Rounds up to `through` run with another recipe: those a branch has from its origin. */
export interface RecipeEra {
  readonly through: number;
  readonly recipe: Recipe;
  readonly sets: TaskSets;
}

export interface StepContext {
  readonly run: RunContext;
  readonly at: Position;
  readonly arm: ArmState;
  readonly values: RoundValues;
  /** Asks through the ledger and shows people how it goes. `round` 0 for what does not depend on the round. */
  readonly ask: (
    round: number,
    calls: readonly (Call & { readonly input: string })[],
    /** Provider id of another model than the run's. */
    provider?: string,
  ) => Promise<readonly ModelAnswer[]>;
  /** A vector for each text by this provider's embeddings, through the ledger; null for a text that got none. */
  readonly embed: (texts: readonly string[], provider: string) => Promise<Vectors>;
  readonly progress: (done: number, total: number) => void;
}

export interface StepResult {
  readonly values?: Partial<RoundValues>;
  readonly arm?: Partial<ArmState>;
  /** Facts, placed at the step by the engine. */
  readonly events: readonly EventBody[];
  /** Rows stored in the same transaction. */
  readonly rows?: Omit<Commit, 'runId' | 'events' | 'status'>;
}
