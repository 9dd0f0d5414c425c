/** Recipes for loop tests: the sample loops' shapes, on the toy learner and small data. */
export const starRecipe = (
  changes: {
    rounds?: number;
    seed?: number;
    budget?: string;
    control?: string;
    model?: string;
    extra?: string;
  } = {},
) => `
ratchet: 1
name: star
objective: { ability: addition, metric: exact, answer: { after: ">" } }
model: ${changes.model ?? 'toy'}
data:
  train: { generate: addition, digits: [2, 3], count: 24 }
  dev: { generate: addition, digits: [3], count: 60 }
  test: { generate: addition, digits: [3], count: 60 }
rounds: ${changes.rounds ?? 4}
seed: ${changes.seed ?? 1}
budget: ${changes.budget ?? '{}'}
${changes.extra ?? ''}
steps:
  - solve: { n: 4, temperature: 1, maxTokens: 20 }
  - assess: {}
  - select: { over: solutions, keep: ">= 1" }
    as: filter
  - pack: {}
  - update: { slot: weights }
  - evaluate: { suite: dev }
  - select: { over: candidates, policy: gate }
    as: gate
${changes.control ?? 'control: { without: [filter, gate] }'}
`;

export const searchRecipe = (seed = 1) => `
ratchet: 1
name: search
objective: { ability: addition, metric: exact, answer: { after: ">" } }
model: toy
instruction: "be brief"
data:
  train: { generate: addition, digits: [2], count: 40 }
  dev: { generate: addition, digits: [2], count: 100 }
  test: { generate: addition, digits: [2], count: 100 }
rounds: 4
seed: ${seed}
steps:
  - revise: { over: instruction, n: 6, phrases: [think step by step, show each step, be kind, no hurry, please] }
  - update: { slot: instruction }
  - evaluate: { suite: train, temperature: 1 }
    as: screen
  - select: { over: candidates, policy: top }
  - evaluate: { suite: train, fresh: 80, temperature: 1 }
    as: confirm
  - select: { over: candidates, policy: gate }
  - evaluate: { suite: dev, temperature: 1 }
`;
