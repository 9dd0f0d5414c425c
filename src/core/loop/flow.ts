/** Owns which kinds of values each step needs and makes. Deliberately looks at parameters only, never at data. */
import type { OperatorStep, ReviseParameters, SelectParameters, UpdateParameters } from './recipe.ts';

/** The kinds of values that flow between steps of one round. */
export type Kind =
  | 'tasks'
  | 'task scores'
  | 'solutions'
  | 'feedback'
  | 'refinements'
  | 'knowledge'
  | 'dataset'
  | 'drafts'
  | 'contenders'
  | 'evaluations';

export interface Flow {
  readonly needs: readonly Kind[];
  readonly makes: readonly Kind[];
}

export const madeBy: Readonly<Record<Kind, string>> = {
  tasks: 'data',
  'task scores': 'assess on tasks, or solve and assess,',
  solutions: 'solve',
  feedback: 'assess',
  refinements: 'select over solutions',
  knowledge: 'distill',
  dataset: 'pack',
  drafts: 'revise',
  contenders: 'update',
  evaluations: 'evaluate',
};

export function flowOf(step: OperatorStep): Flow {
  switch (step.operator) {
    case 'propose':
      return {
        needs: step.with.source === 'failures' ? ['solutions', 'feedback'] : ['tasks'],
        makes: step.with.source === 'selfChallenging' ? ['tasks', 'task scores'] : ['tasks'],
      };
    case 'solve':
      return {
        needs: step.with.only === 'failures' ? ['tasks', 'feedback'] : ['tasks'],
        makes: ['solutions'],
      };
    case 'assess':
      return step.with.on === 'tasks'
        ? { needs: ['tasks'], makes: ['task scores'] }
        : { needs: ['solutions'], makes: ['feedback', 'task scores'] };
    case 'select':
      return selectFlow(step.with);
    case 'revise':
      return reviseFlow(step.with);
    case 'distill':
      return { needs: ['solutions', 'feedback'], makes: ['knowledge'] };
    case 'pack':
      return {
        needs: step.with.form === 'sft' ? ['refinements'] : ['refinements', 'feedback'],
        makes: ['dataset'],
      };
    case 'update':
      return { needs: updateNeeds(step.with), makes: ['contenders'] };
    case 'evaluate':
      return { needs: [], makes: ['evaluations'] };
    case 'retarget':
      return {
        needs: step.with.policy === 'weakness' || step.with.policy === 'split' ? ['evaluations'] : [],
        makes: [],
      };
  }
}

const JUDGED: readonly Kind[] = ['solutions', 'feedback'];

function reviseFlow(parameters: ReviseParameters): Flow {
  switch (parameters.over) {
    case 'instruction':
      return { needs: parameters.mode === 'reflect' ? JUDGED : [], makes: ['drafts'] };
    case 'solutions': {
      const judged = parameters.mode === 'critique' || parameters.only === 'failures';
      return { needs: judged ? JUDGED : ['solutions'], makes: ['solutions'] };
    }
    case 'tasks':
    case 'knowledge': {
      const attempts = parameters.only === 'failures' || parameters.mode === 'critique';
      const kind = parameters.over;
      // What was said of tasks themselves is a critique as well.
      const said: readonly Kind[] = kind === 'tasks' && parameters.only === 'all' ? ['task scores'] : JUDGED;
      return { needs: attempts ? [kind, ...said] : [kind], makes: [kind] };
    }
    case 'workflow': {
      const attempts = parameters.only === 'failures' || parameters.mode === 'critique';
      return { needs: attempts ? JUDGED : [], makes: ['drafts'] };
    }
  }
}

function selectFlow(parameters: SelectParameters): Flow {
  switch (parameters.over) {
    case 'solutions':
      return { needs: ['solutions', 'feedback'], makes: ['refinements'] };
    case 'tasks': {
      const scored =
        parameters.policy === 'threshold' || parameters.policy === 'band' || parameters.policy === 'top';
      return { needs: scored ? ['tasks', 'task scores'] : ['tasks'], makes: ['tasks'] };
    }
    case 'knowledge':
      return { needs: ['knowledge'], makes: ['knowledge'] };
    case 'candidates':
      return parameters.policy === 'pareto' ||
        parameters.policy === 'tournament' ||
        parameters.policy === 'softmax'
        ? { needs: [], makes: [] }
        : { needs: ['contenders', 'evaluations'], makes: [] };
  }
}

function updateNeeds(parameters: UpdateParameters): readonly Kind[] {
  switch (parameters.slot) {
    case 'weights':
      return parameters.op === 'train' || parameters.op === 'export' ? ['dataset'] : [];
    case 'instruction':
      return parameters.op === 'patch' ? ['knowledge'] : ['drafts'];
    case 'demonstrations':
      return parameters.op === 'reset' ? [] : ['refinements'];
    case 'memory':
      return parameters.op === 'insert' || parameters.op === 'patch' || parameters.op === 'merge'
        ? ['knowledge']
        : [];
    case 'scratch':
      return parameters.op === 'reset' ? [] : ['knowledge'];
    case 'workflow':
      return parameters.op === 'reset' ? [] : ['drafts'];
    case 'judge':
      return [];
  }
}

/** A control may leave a selection of solutions out: everything is then kept, which is what it is there to show. */
export function flowWithout(step: OperatorStep): Flow {
  return step.operator === 'select' && step.with.over === 'solutions'
    ? { needs: ['solutions'], makes: ['refinements'] }
    : { needs: [], makes: [] };
}
