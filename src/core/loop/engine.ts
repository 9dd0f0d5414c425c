/**
 * Owns the wheel: rounds, arms and steps of one run, deterministic given the ledger.
 * Deliberately knows no operator's inside (steps/) and no lifecycle: starting, pausing and ending is execute.ts.
 */
import { hashOf } from '../measure/hash.ts';
import { experienceKey } from '../measure/identity.ts';
import type { Candidate } from '../model/candidate.ts';
import type { Arm, EventBody, Position } from '../model/event.ts';
import type { Annotation } from '../model/feedback.ts';
import type { ExperienceKey } from '../model/ids.ts';
import { startCandidate } from '../update/update.ts';
import { requireAbilities } from './abilities.ts';
import { emptyRound, startArm, type ArmState, type RoundValues } from './arm.ts';
import { createAsk, type Pace } from './asking.ts';
import { measureRound } from './health.ts';
import { leaveOut, perform } from './perform.ts';
import { operatorSteps, phaseOf, type LoopStep, type OperatorStep } from './recipe.ts';
import { valuesFrom, type Outputs } from './outputs.ts';
import { scoreTest } from './sealedTest.ts';
import type { RunContext, StepContext, StepResult } from './stepContext.ts';
import { isSolved, outputsOf } from './steps/attempts.ts';

/** Runs every round of every arm, then scores the sealed test once. Returns a sentence on what was kept. */
export async function turnWheel(run: RunContext): Promise<string> {
  const { recipe, sets } = run;
  await requireAbilities(run);
  const names: readonly Arm[] = recipe.controlWithout === null ? ['main'] : ['main', 'control'];
  const pace: Pace = { roundMs: null, remainingRounds: (recipe.rounds + 1) * names.length };
  // A branch starts where its origin did.
  const { instruction } = (run.eras[0] ?? run).recipe;
  const start = startCandidate({ model: recipe.model, instruction, weights: null });
  await announce(run, names, start);
  const arms = new Map<Arm, ArmState>(names.map((arm) => [arm, startArm(arm, start, recipe.islands.count)]));
  for (let round = 0; round <= recipe.rounds; round++) {
    const inEra = { ...run, ...run.eras.find(({ through }) => round <= through) };
    for (const name of names) {
      const began = run.services.clock.monotonic();
      const arm = arms.get(name) as ArmState;
      arms.set(
        name,
        await (round === 0 ? originRound(inEra, arm, pace) : turnRound(inEra, arm, round, pace)),
      );
      pace.remainingRounds -= 1;
      if (round > 0) pace.roundMs = run.services.clock.monotonic() - began;
    }
  }
  const main = arms.get('main') as ArmState;
  if (sets.test.length > 0) return scoreTest(run, main, pace);
  return main.inUse.id === main.start.id
    ? 'Nothing was shown to be better than the start.'
    : `Kept: ${main.inUse.note}.`;
}

async function announce(run: RunContext, arms: readonly Arm[], start: Candidate): Promise<void> {
  const { recipe, sets, seed } = run;
  const at: Position = { arm: 'main', round: 0, step: '' };
  const guards = (['regression', 'canary'] as const).filter((name) => sets[name].length > 0);
  const events: EventBody[] = [
    { kind: 'runStarted', recipe: recipe.name, seed, rounds: recipe.rounds, arms },
    ...sets.skipped.map(({ file, line, reason }): EventBody => ({ kind: 'dataSkipped', file, line, reason })),
    ...sets.warnings.map((message): EventBody => ({ kind: 'warningRaised', message })),
    {
      kind: 'tasksAcquired',
      split: 'dev',
      count: sets.dev.length,
      digest: hashOf(sets.dev.map(({ id }) => id)),
    },
    {
      kind: 'tasksAcquired',
      split: 'test',
      count: sets.test.length,
      digest: hashOf(sets.test.map(({ id }) => id)),
    },
    ...guards.map(
      (name): EventBody => ({
        kind: 'tasksAcquired',
        split: name,
        count: sets[name].length,
        digest: hashOf(sets[name].map(({ id }) => id)),
      }),
    ),
  ];
  await append(run, at, {
    events,
    rows: {
      tasks: [...sets.dev, ...sets.test, ...guards.flatMap((name) => sets[name])],
      candidates: arms.map((arm) => ({ ...start, at: { ...at, arm } })),
    },
  });
}

/** Round 0: the start on the dev suite, the origin of the curve. */
async function originRound(run: RunContext, arm: ArmState, pace: Pace): Promise<ArmState> {
  let turn: Turn = { arm, values: emptyRound([], new Map()), outputs: new Map() };
  for (const step of operatorSteps(run.recipe.steps)) {
    if (step.operator !== 'evaluate' || step.with.suite !== 'dev') continue;
    turn = await takeStep(run, turn, step, { round: 0, path: step.path }, pace);
  }
  return turn.arm;
}

async function turnRound(run: RunContext, arm: ArmState, round: number, pace: Pace): Promise<ArmState> {
  const at: Position = { arm: arm.arm, round, step: '' };
  await append(run, at, { events: [{ kind: 'roundStarted' }] });
  const annotations = await readAnnotations(run, at);
  const tasks = run.sets.train(round);
  const opening: EventBody[] = [
    { kind: 'tasksAcquired', split: 'train', count: tasks.length, digest: hashOf(tasks.map(({ id }) => id)) },
  ];
  if (annotations.size > 0) {
    opening.push({
      kind: 'annotationsRead',
      count: annotations.size,
      digest: hashOf([...annotations.keys()].sort()),
    });
  }
  await append(run, at, { events: opening, rows: { tasks } });
  let turn: Turn = { arm, values: emptyRound(tasks, annotations), outputs: new Map() };
  for (const step of run.recipe.steps) {
    turn =
      step.operator === 'loop'
        ? await takeLoop(run, turn, step, round, pace)
        : await takeStep(run, turn, step, { round, path: step.path }, pace);
  }
  const { arm: ended, values } = turn;
  const measured = measureRound(arm, ended, values, { seed: run.seed, round });
  if (measured !== null) await append(run, { ...at, step: 'health' }, { events: measured.events });
  const state = measured === null ? ended : { ...ended, health: measured.memory };
  const earlier = new Map(state.earlier);
  for (const experience of values.experiences) {
    const { key, at: made } = experience.solution;
    if (made.round === round && !annotations.has(key)) earlier.set(key, experience);
  }
  return { ...state, earlier };
}

/** A person's judgements as they stand when the round begins, through the ledger, so that a resumed run reads the same. */
async function readAnnotations(
  run: RunContext,
  at: Position,
): Promise<ReadonlyMap<ExperienceKey, Annotation>> {
  const place = { step: 'annotations', round: at.round, at };
  const read = await run.ledger.once<readonly (readonly [ExperienceKey, Annotation])[]>(
    'annotations',
    place,
    '',
    async () => {
      const all = await run.services.store.annotations();
      return all
        .map(({ task, output, ...annotation }) => [experienceKey(task, output), annotation] as const)
        .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
    },
  );
  return new Map(read);
}

/** What a round has come to: the arm, its values, and what each step made by its name. */
interface Turn {
  readonly arm: ArmState;
  readonly values: RoundValues;
  readonly outputs: Outputs;
}

/** Turns of a loop are places of their own, so that each has its own draws and effects. */
async function takeLoop(
  run: RunContext,
  turn: Turn,
  loop: LoopStep,
  round: number,
  pace: Pace,
): Promise<Turn> {
  let current = turn;
  for (let index = 1; index <= loop.max; index++) {
    if (loop.until === 'solved' && isSolved(current.values)) return current;
    const before = outputsOf(current.values);
    for (const step of loop.steps)
      current = await takeStep(run, current, step, { round, path: `${step.path}#${index}` }, pace);
    if (loop.until === 'unchanged' && outputsOf(current.values) === before) return current;
  }
  return current;
}

async function takeStep(
  run: RunContext,
  { arm, values, outputs }: Turn,
  step: OperatorStep,
  place: { readonly round: number; readonly path: string },
  pace: Pace,
): Promise<Turn> {
  const at: Position = { arm: arm.arm, round: place.round, step: place.path };
  const phase = phaseOf(step.operator);
  await append(run, at, { events: [{ kind: 'stepStarted', phase, operator: step.operator }] });
  const asking = createAsk(run, at, { phase, operator: step.operator }, pace);
  const context: StepContext = { run, at, arm, values: valuesFrom(values, outputs, step.from), ...asking };
  const left = arm.arm === 'control' && run.recipe.controlWithout?.includes(step.path) === true;
  const result = await (left ? leaveOut(context, step) : perform(context, step));
  await append(run, at, result);
  return {
    arm: { ...arm, ...result.arm },
    values: { ...values, ...result.values },
    outputs: new Map([...outputs, [step.path, result.values ?? {}]]),
  };
}

async function append(run: RunContext, at: Position, { events, rows }: StepResult): Promise<void> {
  const stored = await run.services.store.commit({
    runId: run.id,
    events: events.map((event) => ({ ...event, at })),
    ...rows,
  });
  if (stored.length > 0) run.services.onEvents(stored);
}
