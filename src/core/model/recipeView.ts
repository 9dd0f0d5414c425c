/** Owns what a form is shown of a recipe: its settings, its steps in words, its problems. Deliberately no recipe itself. */

/** The settings of a recipe the panel shows and changes. */
export const recipeFields = [
  'rounds',
  'seed',
  'samples',
  'temperature',
  'budget.minutes',
  'budget.calls',
  'budget.tokens',
  'budget.usd',
] as const;

export type RecipeField = (typeof recipeFields)[number];

export interface RecipeSetting {
  readonly field: RecipeField;
  readonly label: string;
  /** What the text says now, or the default that applies where it says nothing; null means no limit. */
  readonly value: number | null;
  readonly minimum: number;
  readonly maximum: number;
  readonly whole: boolean;
  /** One sentence of help. */
  readonly help: string;
}

export interface RecipeProblem {
  /** Where in the recipe, for example "steps[2].select.keep". */
  readonly path: string;
  readonly message: string;
  /** From 1; the place in the text the message is about. */
  readonly line: number;
  readonly column: number;
}

export interface StepDescription {
  readonly path: string;
  readonly phase: string;
  readonly operator: string;
  /** Its main parameters, as a reader would say them. */
  readonly detail: string;
}

export interface RecipeDescription {
  readonly name: string;
  readonly objective: string;
  readonly settings: readonly RecipeSetting[];
  /** In order. */
  readonly steps: readonly StepDescription[];
  readonly control: string | null;
  readonly problems: readonly RecipeProblem[];
}

/** Replace the text between two UTF-16 offsets. */
export interface TextEdit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}
