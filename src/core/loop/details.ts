/** Owns what a step is, in a reader's words. Deliberately shows what matters of its parameters, not all of them. */
import type { OperatorStep, SelectParameters, UpdateParameters } from './recipe.ts';

const many = (count: number, one: string, others: string): string => `${count} ${count === 1 ? one : others}`;

/** A step's main parameters, as a reader would say them. */
export function detailOf(step: OperatorStep): string {
  switch (step.operator) {
    case 'propose':
      return `${many(step.with.n, 'call', 'calls')} from ${SOURCES[step.with.source]}, ${many(step.with.each, 'task', 'tasks')} each`;
    case 'solve':
      return [
        `${many(step.with.n, 'solution', 'solutions')} a task at temperature ${step.with.temperature}`,
        ...(step.with.only === 'failures' ? ['of what failed'] : []),
        ...(step.with.context.includes('principles') ? ['the principles in sight'] : []),
        ...(step.with.style === 'cot' ? ['reasoning first'] : []),
        ...(step.with.search === undefined ? [] : ['by search']),
        ...(step.with.negated === false ? [] : ['bad on purpose']),
        ...(step.with.roles.length > 0 ? [step.with.roles.map(({ name }) => name).join(' and ')] : []),
        ...(step.with.tools.length > 0 ? [`with ${step.with.tools.join(' and ')}`] : []),
      ].join(', ');
    case 'assess':
      return JUDGES[step.with.source](step.with.metric ?? 'the objective’s metric');
    case 'select':
      return selectDetail(step.with);
    case 'revise':
      if (step.with.over !== 'instruction') return `${step.with.over}, ${step.with.only}: ${step.with.mode}`;
      return step.with.mode === 'edit'
        ? `${step.with.n} drafts of the instruction: ${step.with.edits.join(', ')}`
        : `${step.with.n} drafts of the instruction: ${step.with.mode}`;
    case 'distill':
      return `at most ${step.with.k} of form ${step.with.form} for each ${step.with.unit}, from ${step.with.from}`;
    case 'pack':
      if (step.with.form === 'pairs') return 'preference pairs';
      return step.with.form === 'sft'
        ? `kept solutions as examples${step.with.replay ? `, ${step.with.replay.share * 100} % replay` : ''}`
        : `${step.with.form} examples`;
    case 'update':
      return updateDetail(step.with);
    case 'evaluate':
      return `${step.with.suite}${step.with.fresh === undefined ? '' : `, ${step.with.fresh} fresh tasks`}, temperature ${step.with.temperature}`;
    case 'retarget':
      return step.with.policy === 'fixed' ? 'the aim stays' : step.with.policy;
  }
}

const SOURCES = {
  pool: 'tasks of the pool',
  parent: 'each task',
  document: 'each document',
  topic: 'each topic',
  failures: 'each failure',
  empty: 'the ability alone',
  selfChallenging: 'challenges to itself',
} as const;

const JUDGES = {
  metric: (metric: string) => `by ${metric}`,
  vote: () => 'by agreement of the answers',
  backward: () => 'by finding a masked number again',
  judge: () => 'by a judge',
  pairs: () => 'by a judge, two at a time',
  logProbability: () => 'by how sure the model is of it',
  human: () => 'by a person',
  environment: () => 'by running it',
  dualExecution: () => 'by running it against tests that agree',
} as const;

function selectDetail(parameters: SelectParameters): string {
  switch (parameters.over) {
    case 'solutions':
      return parameters.policy === 'threshold'
        ? `keep solutions with score ${parameters.keep.trim()}`
        : `keep solutions by ${parameters.policy}`;
    case 'tasks':
      return `keep tasks by ${parameters.policy}`;
    case 'knowledge':
      return `keep the ${parameters.policy} ${parameters.k} items`;
    case 'candidates':
      switch (parameters.policy) {
        case 'top':
          return `the best ${parameters.k === 1 ? 'candidate' : `${parameters.k} candidates`}`;
        case 'gate':
          return `use the new candidate only if it is better with ${parameters.confidence * 100} % confidence`;
        case 'strictlyBetter':
          return 'only candidates above their parents';
        case 'pareto':
        case 'tournament':
        case 'softmax':
          return `${many(parameters.k, 'parent', 'parents')} by ${parameters.policy}`;
      }
  }
}

function updateDetail(parameters: UpdateParameters): string {
  switch (parameters.slot) {
    case 'weights':
      return parameters.op === 'train'
        ? `train the weights, learning rate ${parameters.learningRate}`
        : parameters.op === 'average'
          ? `average the weights of ${parameters.of} trained candidates, ${parameters.soup}`
          : `${parameters.op} the weights`;
    case 'instruction':
      return `${parameters.op} the instruction`;
    case 'demonstrations':
      return parameters.op === 'reset'
        ? 'reset the demonstrations'
        : `${parameters.k} demonstrations, ${parameters.pick}`;
    case 'memory':
      return `memory: ${parameters.op}`;
    case 'scratch':
      return `scratch: ${parameters.op}`;
    case 'workflow':
      return `workflow: ${parameters.op}`;
    case 'judge':
      return 'set the judge';
  }
}
