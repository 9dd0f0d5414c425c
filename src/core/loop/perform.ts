/** Owns which function performs a step, and what stands in for one a control leaves out. Deliberately knows no order of steps. */
import type { OperatorStep, SelectParameters, UpdateParameters } from './recipe.ts';
import type { StepContext, StepResult } from './stepContext.ts';
import { assessStep } from './steps/assessSteps.ts';
import { distillStep } from './steps/distillSteps.ts';
import { evaluateStep } from './steps/evaluateSteps.ts';
import { gateStep, selectTopStep, withoutGate } from './steps/gateSteps.ts';
import { selectStrictlyStep, selectParentsStep } from './steps/populationSteps.ts';
import { proposeStep } from './steps/proposeSteps.ts';
import { selectSolutionsStep, withoutSelection } from './steps/refineSteps.ts';
import { retargetStep } from './steps/retargetSteps.ts';
import { reviseStep } from './steps/reviseSteps.ts';
import { selectKnowledgeStep, selectTasksStep } from './steps/selectSteps.ts';
import { solveStep } from './steps/solveSteps.ts';
import { setDemonstrationsStep, setJudgeStep, setMemoryStep, setScratchStep } from './steps/stateSteps.ts';
import { draftStep, packStep, patchInstructionStep, resetSlotStep } from './steps/updateSteps.ts';
import { weightsStep } from './steps/weightsSteps.ts';

type Result = Promise<StepResult> | StepResult;

export function perform(context: StepContext, step: OperatorStep): Result {
  switch (step.operator) {
    case 'propose':
      return proposeStep(context, step.with);
    case 'solve':
      return solveStep(context, step.with);
    case 'assess':
      return assessStep(context, step.with);
    case 'select':
      return select(context, step.with);
    case 'revise':
      return reviseStep(context, step.with);
    case 'distill':
      return distillStep(context, step.with);
    case 'pack':
      return packStep(context, step.with);
    case 'update':
      return update(context, step.with);
    case 'evaluate':
      return evaluateStep(context, step.with);
    case 'retarget':
      return retargetStep(context, step.with);
  }
}

function select(context: StepContext, parameters: SelectParameters): Result {
  switch (parameters.over) {
    case 'solutions':
      return selectSolutionsStep(context, parameters);
    case 'tasks':
      return selectTasksStep(context, parameters);
    case 'knowledge':
      return selectKnowledgeStep(context, parameters);
    case 'candidates':
      switch (parameters.policy) {
        case 'top':
          return selectTopStep(context, parameters.k);
        case 'gate':
          return gateStep(context, parameters);
        case 'strictlyBetter':
          return selectStrictlyStep(context);
        case 'pareto':
        case 'tournament':
        case 'softmax':
          return selectParentsStep(context, parameters);
      }
  }
}

function update(context: StepContext, parameters: UpdateParameters): Result {
  switch (parameters.slot) {
    case 'weights':
      return weightsStep(context, parameters);
    case 'instruction':
      return parameters.op === 'set'
        ? draftStep(context, 'instruction')
        : patchInstructionStep(context, parameters);
    case 'workflow':
      return parameters.op === 'set' ? draftStep(context, 'workflow') : resetSlotStep(context, 'workflow');
    case 'demonstrations':
      return setDemonstrationsStep(context, parameters);
    case 'memory':
      return setMemoryStep(context, parameters);
    case 'scratch':
      return setScratchStep(context, parameters);
    case 'judge':
      return setJudgeStep(context, parameters);
  }
}

/** A selection a control leaves out keeps everything; any other step is simply not taken. */
export function leaveOut(context: StepContext, step: OperatorStep): StepResult {
  if (step.operator !== 'select') return { events: [] };
  if (step.with.over === 'solutions') return withoutSelection(context);
  return step.with.over === 'candidates' && step.with.policy === 'gate'
    ? withoutGate(context)
    : { events: [] };
}
