/**
 * Owns a person's part inside a round: judgements of this round's solutions as feedback, and the pause until enough of them
 * are there. Deliberately shows nothing to anybody: a paused run says what it waits for, and Resume goes on.
 */
import { hashOf } from '../../measure/hash.ts';
import { experienceKey, feedbackId } from '../../measure/identity.ts';
import { shuffle, stream } from '../../measure/random.ts';
import type { Annotation, Feedback } from '../../model/feedback.ts';
import type { ExperienceKey, SolutionId } from '../../model/ids.ts';
import { Halted } from '../halt.ts';
import type { StepContext } from '../stepContext.ts';

/** What a person said of a solution, as feedback. */
export function humanFeedback(solutionId: SolutionId, annotation: Annotation): Feedback {
  const { verdict, score, note } = annotation;
  const value: Feedback['value'] =
    verdict !== null
      ? { kind: 'pass', pass: verdict === 'accept' }
      : score !== null
        ? { kind: 'score', score }
        : { kind: 'text', text: note };
  const id = feedbackId(solutionId, 'human', hashOf([verdict, score, note]));
  return { id, solutionId, source: 'human', by: 'a person', value, ...(note === '' ? {} : { reason: note }) };
}

/**
 * Feedback of every solution a person judged. `share` of the solutions, drawn by the run's seed, must be: until they are,
 * the run pauses and says how many wait. What was read is kept in the ledger, so that a resumed run reads the same.
 */
export async function askPerson(context: StepContext, share: number): Promise<Feedback[]> {
  const { run, at, values } = context;
  const place = { step: at.step, round: at.round, at };
  const read = await run.ledger.once<readonly (readonly [ExperienceKey, Annotation])[]>(
    'annotations',
    place,
    'audit',
    async () => {
      const known = new Map(
        (await run.services.store.annotations()).map(({ task, output, ...annotation }) => [
          experienceKey(task, output),
          annotation,
        ]),
      );
      // Equal answers to a task are judged once, and a call that failed left nothing to judge.
      const judgeable = [
        ...new Set(
          values.experiences
            .filter(({ solution }) => solution.failure === null)
            .map(({ solution }) => solution.key),
        ),
      ];
      const wanted = shuffle(stream(run.seed, at.step, at.round, 'audit'), judgeable).slice(
        0,
        Math.ceil(share * judgeable.length),
      );
      const missing = wanted.filter((key) => !known.has(key)).length;
      if (missing > 0)
        throw new Halted(
          'paused',
          `${missing} of ${wanted.length} solutions of round ${at.round} wait for your judgement; judge them under Experiences, then resume.`,
        );
      return values.experiences
        .flatMap(({ solution }) => {
          const annotation = known.get(solution.key);
          return annotation === undefined ? [] : [[solution.key, annotation] as const];
        })
        .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
    },
  );
  const byKey = new Map(read);
  return values.experiences.flatMap(({ solution }) => {
    const annotation = byKey.get(solution.key);
    return annotation === undefined ? [] : [humanFeedback(solution.id, annotation)];
  });
}
