/** Owns the names of metrics a recipe can be scored by. Deliberately scores nothing: graders are core/measure/graders.ts. */

/** All but the last two are graders; embeddings and judges are models. */
export const metrics = [
  'exact',
  'numeric',
  'contains',
  'choice',
  'regex',
  'jsonSchema',
  'format',
  'rougeL',
  'edit',
  'math',
  'arithmetic',
  'embedding',
  'judge',
] as const;
export type Metric = (typeof metrics)[number];
