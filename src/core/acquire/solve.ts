/**
 * Owns `solve`: which calls a step makes of the model, and what their answers become.
 * Deliberately makes no call itself: the loop asks through the ledger and hands the answers back.
 */
import { experienceKey, solutionId } from '../measure/identity.ts';
import type { Candidate } from '../model/candidate.ts';
import type { Position } from '../model/event.ts';
import type { ExperienceKey, RunId } from '../model/ids.ts';
import type { Solution, Task } from '../model/task.ts';
import type { ModelAnswer, ModelRequest } from '../ports.ts';
import { extractAnswer, type AnswerRule } from '../prompt/answer.ts';
import { type Framing, plainFraming, renderTask } from '../prompt/messages.ts';

export interface Condition {
  /** Solutions for each task. */
  readonly n: number;
  /** 0 is greedy. */
  readonly temperature: number;
  readonly maxTokens: number;
}

/** One call to make: sample `sample` of `task`. */
export interface Draw {
  readonly task: Task;
  readonly sample: number;
  readonly request: ModelRequest;
}

/** Calls in the order (task, sample). `seedOf` names each draw's own random stream (law 6). */
export function drawsOf(
  tasks: readonly Task[],
  candidate: Candidate,
  condition: Condition,
  seedOf: (task: Task, sample: number) => number,
  framingOf: (task: Task) => Framing = () => plainFraming,
): Draw[] {
  return tasks.flatMap((task) => {
    const messages = renderTask(candidate.state, task, framingOf(task));
    return Array.from({ length: condition.n }, (_, sample) => ({
      task,
      sample,
      request: {
        messages,
        temperature: condition.temperature,
        maxTokens: condition.maxTokens,
        seed: seedOf(task, sample),
        weights: candidate.state.weights,
      },
    }));
  });
}

export interface PlacedSolution extends Solution {
  readonly at: Position;
  readonly key: ExperienceKey;
  /** Why there is no output, when the call failed: feedback with a reason, never the end of a run (law 7). */
  readonly failure: string | null;
}

export function toSolution(
  draw: Draw,
  answer: ModelAnswer,
  candidate: Candidate,
  place: { readonly runId: RunId; readonly at: Position },
  rule: AnswerRule,
): PlacedSolution {
  const output = answer.ok ? answer.text : '';
  return {
    id: solutionId(place.runId, place.at, draw.task.id, draw.sample),
    taskId: draw.task.id,
    candidateId: candidate.id,
    sample: draw.sample,
    output,
    answer: answer.ok ? extractAnswer(output, rule) : null,
    temperature: draw.request.temperature,
    finish: answer.ok ? answer.finish : 'error',
    usage: answer.ok ? answer.usage : { input: null, output: null },
    at: place.at,
    key: experienceKey(draw.task, output),
    failure: answer.ok ? null : answer.reason,
  };
}
