/** Owns how `assess` runs inside a round, whoever judges. Deliberately keeps or drops nothing: that is `select`. */
import { assessByMetric, EQUALITY } from '../../acquire/assess.ts';
import { backwardCheck, recovers } from '../../acquire/backward.ts';
import { ALTERNATIVES, confidenceMessages, confidenceOf } from '../../acquire/confidence.ts';
import { majorityOf } from '../../refine/selectMany.ts';
import { hashOf } from '../../measure/hash.ts';
import { feedbackId } from '../../measure/identity.ts';
import { streamSeed } from '../../measure/random.ts';
import type { EventBody } from '../../model/event.ts';
import type { Feedback, FeedbackSource } from '../../model/feedback.ts';
import type { SolutionId } from '../../model/ids.ts';
import { scoreOf } from '../../refine/selectSolutions.ts';
import type { RoundValues, TaskScoreNote } from '../arm.ts';
import type { AssessParameters } from '../recipe.ts';
import type { StepContext, StepResult } from '../stepContext.ts';
import { byTask, scoresOf } from './attempts.ts';
import { askPerson } from './humanSteps.ts';
import { likenessOf } from './likeness.ts';
import { judgePairs, judgeSolutions, judgeTasks } from './judgeSteps.ts';

export async function assessStep(context: StepContext, parameters: AssessParameters): Promise<StepResult> {
  if (parameters.on === 'tasks') return taskResult(context, await judgeTasks(context, parameters));
  switch (parameters.source) {
    case 'metric':
      return byMetric(context, parameters);
    case 'vote':
      return result(context, 'vote', byVote(context));
    case 'backward':
      return result(context, 'vote', await byBackwardCheck(context, parameters));
    case 'judge':
      return result(context, 'judge', await judgeSolutions(context, parameters));
    case 'pairs':
      return result(context, 'judge', await judgePairs(context, parameters));
    case 'logProbability':
      return result(context, 'logprob', await byLogProbability(context, parameters));
    case 'human':
      return result(context, 'human', await askPerson(context, parameters.audit));
    case 'environment':
    case 'dualExecution':
      throw new RangeError('The check of the recipe lets nothing through that runs code.');
  }
}

/** By the grader; where the metric is a judge, or the grader of mathematics cannot tell, by a judge. */
async function byMetric(context: StepContext, parameters: AssessParameters): Promise<StepResult> {
  const { run, values } = context;
  const { objective } = run.recipe;
  const metric = parameters.metric ?? objective.metric;
  if (metric === 'judge')
    return result(
      context,
      'judge',
      await judgeSolutions(context, { ...parameters, rubric: objective.rubric }),
    );
  if (metric === 'embedding') return result(context, 'metric', await byLikeness(context));
  const graded = values.experiences.map(({ task, solution }) => assessByMetric(task, solution, metric));
  if (metric !== 'math') return result(context, 'metric', graded);
  const open = new Set(
    graded.filter(({ value }) => value.kind === 'text').map(({ solutionId }) => solutionId),
  );
  const unknown = values.experiences.filter(({ solution }) => open.has(solution.id));
  const judged = await judgeSolutions(
    { ...context, values: { ...values, experiences: unknown } },
    { ...parameters, rubric: EQUALITY },
  );
  return result(context, 'metric', [...graded, ...judged]);
}

/** By how near each answer is to its reference; one whose texts got no vector is not judged. */
async function byLikeness(context: StepContext): Promise<Feedback[]> {
  const { experiences } = context.values;
  const near = await likenessOf(context, experiences);
  return experiences.map(({ solution }, index): Feedback => {
    const { score, reason } = near[index] ?? { score: null, reason: 'a text got no vector' };
    return {
      id: feedbackId(solution.id, 'metric', 'embedding'),
      solutionId: solution.id,
      source: 'metric',
      by: `embedding by ${context.run.recipe.embedder ?? ''}`,
      value: score === null ? { kind: 'text', text: reason } : { kind: 'score', score },
      reason,
    };
  });
}

/** By how likely the candidate in use is to say that an answer is right; no score where that cannot be seen. */
async function byLogProbability(context: StepContext, { maxTokens }: AssessParameters): Promise<Feedback[]> {
  const { run, at, arm, values } = context;
  const judged = values.experiences.filter(({ solution }) => solution.failure === null);
  const answers = await context.ask(
    at.round,
    judged.map(({ task, solution }) => ({
      item: `${task.id}/${solution.at.step}/${solution.sample}`,
      sample: 0,
      input: task.input,
      request: {
        messages: confidenceMessages(task, solution.output),
        temperature: 0,
        maxTokens: Math.min(maxTokens, 8),
        seed: streamSeed(run.seed, at.step, at.round, task.id, solution.sample),
        weights: arm.inUse.state.weights,
        logprobs: ALTERNATIVES,
      },
    })),
  );
  return judged.map(({ solution }, index): Feedback => {
    const answer = answers[index];
    const score = answer?.ok === true ? confidenceOf(answer.logprobs) : null;
    return {
      id: feedbackId(solution.id, 'logprob', 'P(true)'),
      solutionId: solution.id,
      source: 'logprob',
      by: `P(true) of ${run.model.name}`,
      value:
        score === null
          ? { kind: 'text', text: 'how sure the model is could not be told' }
          : { kind: 'score', score },
      ...(score === null ? {} : { reason: `says yes to it with probability ${score.toFixed(3)}` }),
    };
  });
}

/** Each solution's score is the share of its task's solutions with the same answer (self-consistency, Wang et al. 2022). */
function byVote({ values }: StepContext): Feedback[] {
  return [...byTask(values).values()].flatMap((group) => {
    const winner = majorityOf(group.map(({ solution }) => solution.answer));
    return group.map(({ solution }): Feedback => {
      const same = group.filter(
        (other) => solution.answer !== null && other.solution.answer === solution.answer,
      ).length;
      const reason =
        solution.answer === null
          ? 'no answer was found in it'
          : `${same} of ${group.length} agree${solution.answer === winner ? ', the most' : ''}`;
      return {
        id: feedbackId(solution.id, 'vote', 'agreement'),
        solutionId: solution.id,
        source: 'vote',
        by: 'agreement',
        value: { kind: 'score', score: same / group.length },
        reason,
      };
    });
  });
}

/** Score: how many of the votes find the masked number again. Tasks without a number are left unjudged. */
async function byBackwardCheck(
  context: StepContext,
  { votes, temperature, maxTokens }: AssessParameters,
): Promise<Feedback[]> {
  const { run, at, arm, values } = context;
  const checks = values.experiences.flatMap(({ task, solution }) => {
    const check = solution.answer === null ? null : backwardCheck(task, solution.answer);
    return check === null ? [] : [{ task, solution, check }];
  });
  const calls = checks.flatMap(({ task, solution, check }) =>
    Array.from({ length: votes }, (_, vote) => ({
      item: `${task.id}/${solution.sample}`,
      sample: vote,
      input: task.input,
      request: {
        messages: check.messages,
        temperature,
        maxTokens,
        seed: streamSeed(run.seed, at.step, at.round, task.id, solution.sample, vote),
        weights: arm.inUse.state.weights,
      },
    })),
  );
  const answers = await context.ask(at.round, calls);
  return checks.map(({ solution, check }, index): Feedback => {
    const replies = answers.slice(index * votes, (index + 1) * votes);
    const found = replies.filter((answer) => answer.ok && recovers(answer.text, check.masked)).length;
    return {
      id: feedbackId(solution.id, 'vote', 'backward check'),
      solutionId: solution.id,
      source: 'vote',
      by: 'backward check',
      value: { kind: 'score', score: found / votes },
      reason: `${found} of ${votes} found the masked number again`,
    };
  });
}

function result(context: StepContext, source: FeedbackSource, given: readonly Feedback[]): StepResult {
  const feedback = new Map<SolutionId, readonly Feedback[]>(context.values.feedback);
  // Said again in another turn of a loop, it stands once, and is the newest.
  for (const item of given)
    feedback.set(item.solutionId, [
      ...(feedback.get(item.solutionId) ?? []).filter(({ id }) => id !== item.id),
      item,
    ]);
  const places = new Map(context.values.experiences.map(({ solution }) => [solution.id, solution]));
  const values: Pick<RoundValues, 'feedback' | 'taskScores'> = {
    feedback,
    taskScores: solveRates(context.values, feedback),
  };
  return {
    values,
    events: [
      {
        kind: 'feedbackGiven',
        source,
        count: given.length,
        passed: given.filter((item) => (scoreOf([item]) ?? 0) >= 1).length,
        digest: hashOf(
          given.map((item) => {
            const solution = places.get(item.solutionId);
            return [solution?.taskId ?? '', solution?.sample ?? 0, scoreOf([item]) ?? 0];
          }),
        ),
      },
    ],
    rows: { feedback: given },
  };
}

/** Who scored a task by how it was solved. */
const BY_SOLUTIONS = 'its solutions';

/** The mean score of each task's solutions: its solve rate where scores are right or wrong. */
function solveRates(
  values: RoundValues,
  feedback: ReadonlyMap<SolutionId, readonly Feedback[]>,
): RoundValues['taskScores'] {
  const rates = new Map([...values.taskScores].filter(([, { by }]) => by === BY_SOLUTIONS));
  const scoreOf = scoresOf({ experiences: values.experiences, feedback });
  for (const [id, group] of byTask(values)) {
    const scores = group.flatMap((experience) => scoreOf(experience) ?? []);
    if (scores.length === 0) continue;
    const score = scores.reduce((sum, value) => sum + value, 0) / scores.length;
    rates.set(id, {
      score,
      by: BY_SOLUTIONS,
      reason: `mean score ${score.toFixed(2)} of ${scores.length}`,
    });
  }
  return rates;
}

function taskResult(
  { values }: StepContext,
  scores: ReadonlyMap<RoundValues['tasks'][number]['id'], TaskScoreNote>,
): StepResult {
  const event: EventBody = {
    kind: 'feedbackGiven',
    source: 'judge',
    count: scores.size,
    passed: [...scores.values()].filter(({ score }) => score >= 1).length,
    digest: hashOf([...scores].map(([id, { score }]) => [id, score])),
  };
  // Scores of another judge, or of none, are not comparable with these (law 5).
  const judges = new Set([...scores.values()].map(({ by }) => by));
  const before = [...values.taskScores].filter(([, { by }]) => judges.has(by));
  return { values: { taskScores: new Map([...before, ...scores]) }, events: [event] };
}
