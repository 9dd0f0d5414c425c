/**
 * Owns storing tasks, solutions, feedback and refinements: once each, with the score and verdict of their solution kept up.
 * What is said of a solution by the commit that brings it is stored with it, without a look at what is there.
 * Deliberately changes no text once it is stored.
 */
import type { Position } from '../../core/model/event.ts';
import type { Feedback, Refinement } from '../../core/model/feedback.ts';
import type { ExperienceKey } from '../../core/model/ids.ts';
import type { Solution, Task } from '../../core/model/task.ts';
import type { Commit } from '../../core/ports.ts';
import type { Connection, SqlValue } from './connection.ts';
import type { GroupTally } from './experienceGroups.ts';
import { LONG_BYTES, putLongText } from './longTexts.ts';
import { checksum, encodeText } from './payload.ts';
import { findRef, nextRef, refOf } from './refs.ts';
import { enterSolution, findSolutions } from './solutionLookup.ts';

type PlacedSolution = Solution & { readonly at: Position; readonly key: ExperienceKey };

const encoded = (text: string | null | undefined): string | Uint8Array | null =>
  text === null || text === undefined ? null : encodeText(text);

type TaskDetails = Pick<Task, 'choices' | 'tests' | 'entryPoint'>;

/** What a task has beside its texts, as it is kept: JSON, always with the same order of names; null where it has nothing. */
export function taskDetails({ choices, tests, entryPoint }: TaskDetails): string | null {
  const details: TaskDetails = {
    ...(choices === undefined ? {} : { choices }),
    ...(tests === undefined ? {} : { tests }),
    ...(entryPoint === undefined ? {} : { entryPoint }),
  };
  return Object.keys(details).length === 0 ? null : JSON.stringify(details);
}

/** As it was before there were details, where the task has none. */
export function taskChecksum(
  id: string,
  input: string,
  context: string | null,
  reference: string | null,
  details: string | null,
): number {
  const texts = [id, input, context, reference];
  return details === null ? checksum(...texts) : checksum(...texts, details);
}

const ADD_TASK =
  'INSERT INTO tasks (ref, id, input, context, reference, details, checksum) VALUES (?, ?, ?, ?, ?, ?, ?)';
/** A task that an earlier version kept without its details. */
const ADD_DETAILS =
  'UPDATE tasks SET details = ?, checksum = ? WHERE ref = ? AND details IS NULL AND checksum = ?';

/** Stores a task under the number, or what was not kept of one that has it. */
function storeTask(connection: Connection, task: Task, ref: number, isNew: boolean): void {
  const { id, input, context = null, reference = null } = task;
  const details = taskDetails(task);
  const whole = taskChecksum(id, input, context, reference, details);
  if (isNew)
    connection.run(
      ADD_TASK,
      ref,
      id,
      encodeText(input),
      encoded(context),
      encoded(reference),
      details,
      whole,
    );
  else if (details !== null)
    connection.run(ADD_DETAILS, details, whole, ref, taskChecksum(id, input, context, reference, null));
}

export function storeTasks(connection: Connection, run: number, tasks: readonly Task[]): void {
  if (tasks.length === 0) return;
  let next = nextRef(connection, 'tasks');
  for (const task of tasks) {
    const known = findRef(connection, 'tasks', task.id);
    const ref = known ?? next++;
    storeTask(connection, task, ref, known === null);
    connection.run(
      'INSERT INTO run_tasks (run, task, split) VALUES (?, ?, ?) ON CONFLICT DO NOTHING',
      run,
      ref,
      task.split,
    );
  }
}

/** Row numbers of the solutions a commit brought, by id. */
export type Fresh = ReadonlyMap<string, number>;

interface Judgement {
  score: number | null;
  scoredByHuman: 0 | 1;
  verdict: Refinement['verdict'] | null;
}

/** The first of those with the same id. */
function once<Item extends { readonly id: string }>(items: readonly Item[]): readonly Item[] {
  const seen = new Set<string>();
  return items.filter(({ id }) => !seen.has(id) && seen.add(id));
}

/** What feedback and refinements make of solutions nothing was said about before. */
function judgements(
  feedback: readonly Feedback[],
  refinements: readonly Refinement[],
): ReadonlyMap<string, Judgement> {
  const found = new Map<string, Judgement>();
  const of = (solution: string): Judgement => {
    const known = found.get(solution) ?? { score: null, scoredByHuman: 0, verdict: null };
    found.set(solution, known);
    return known;
  };
  for (const item of once(feedback)) {
    const score = scoreOf(item);
    const judgement = of(item.solutionId);
    const human = isHuman(item);
    if (score === null || human < judgement.scoredByHuman) continue;
    judgement.score = score;
    judgement.scoredByHuman = human;
  }
  for (const item of once(refinements)) of(item.solutionId).verdict = item.verdict;
  return found;
}

export interface Refs {
  readonly task: (id: string) => number;
  readonly candidate: (id: string) => number;
}

const ADD_SOLUTION = `INSERT INTO solutions (ref, id, key, run, task, candidate, experience_group, step, sample, temperature,
    finish, input_tokens, output_tokens, score, scored_by_human, annotated)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`;

const ADD_BYTES =
  'INSERT INTO solution_texts (solution, output, answer, checksum, text) VALUES (?, ?, ?, ?, ?)';
const ADD_TEXT = ADD_BYTES.replace('?, ?,', '?, CAST(? AS TEXT),');

/** An output as the columns for it: of a long one only the number of its text. */
function keptOutput(connection: Connection, text: string) {
  const output = encodeText(text);
  if (typeof output !== 'string') return { sql: ADD_BYTES, output, text: null };
  // The wrapper copies a string character by character, bytes at once.
  const bytes = Buffer.from(output);
  if (bytes.length < LONG_BYTES) return { sql: ADD_TEXT, output: bytes, text: null };
  return { sql: ADD_TEXT, output: '', text: putLongText(connection, bytes) };
}

function storeSolution(
  connection: Connection,
  run: number,
  solution: PlacedSolution,
  judgement: Judgement | undefined,
  place: { readonly ref: number; readonly group: number; readonly annotated: 0 | 1 } & Refs,
): void {
  const { ref } = place;
  connection.run(
    ADD_SOLUTION,
    ref,
    solution.id,
    solution.key,
    run,
    place.task(solution.taskId),
    place.candidate(solution.candidateId),
    place.group,
    solution.at.step,
    solution.sample,
    solution.temperature,
    solution.finish,
    solution.usage.input,
    solution.usage.output,
    judgement?.score ?? null,
    judgement?.scoredByHuman ?? 0,
    place.annotated,
  );
  const { sql, output, text } = keptOutput(connection, solution.output);
  connection.run(
    sql,
    ref,
    output,
    encoded(solution.answer),
    checksum(solution.id, solution.output, solution.answer),
    text,
  );
  enterSolution(connection, ref, solution.id, solution.key);
}

/** Stores the solutions that are not there yet, already with what the same commit says of them; returns those. */
export function storeSolutions(
  connection: Connection,
  run: number,
  commit: Pick<Commit, 'solutions' | 'feedback' | 'refinements'>,
  tally: GroupTally,
  refs: Refs,
): Fresh {
  const { solutions = [], feedback = [], refinements = [] } = commit;
  const fresh = new Map<string, number>();
  if (solutions.length === 0) return fresh;
  const stored = findSolutions(
    connection,
    solutions.map(({ id }) => id),
  );
  let ref = nextRef(connection, 'solutions');
  const said = judgements(feedback, refinements);
  const anyAnnotation = connection.get('SELECT 1 FROM annotations LIMIT 1') !== null;
  for (const solution of solutions) {
    if (stored.has(solution.id) || fresh.has(solution.id)) continue;
    const judgement = said.get(solution.id);
    const group = tally.find(run, solution.at.arm, solution.at.round, judgement?.verdict ?? 'unrefined');
    const annotated = anyAnnotation && isAnnotated(connection, solution.key) ? 1 : 0;
    storeSolution(connection, run, solution, judgement, { ref, group, annotated, ...refs });
    fresh.set(solution.id, ref);
    tally.enter(group, ref, annotated);
    ref++;
  }
  return fresh;
}

function isAnnotated(connection: Connection, key: string): boolean {
  return connection.get('SELECT 1 FROM annotations WHERE key = ?', key) !== null;
}

interface Addition {
  readonly solution: number;
  /** Its solution was stored with it in mind. */
  readonly fresh: boolean;
}

/**
 * Adds rows about solutions, each after those its solution has, unless one with that id is there. `columns` are set to
 * ?4, ?5 and so on. The function it returns throws StoreError when there is no such solution.
 */
function adder(table: 'feedback' | 'refinements', columns: readonly string[]) {
  const values = columns.map((_, index) => `?${index + 4}`).join(', ');
  const insert = `INSERT INTO ${table} (solution, position, id, ${columns.join(', ')})`;
  const addFirst = `${insert} VALUES (?1, ?2, ?3, ${values})`;
  const addNext = `${insert}
    SELECT ?1, (SELECT count(*) FROM ${table} WHERE solution = ?1) + ?2, ?3, ${values}
    WHERE NOT EXISTS (SELECT 1 FROM ${table} WHERE solution = ?1 AND id = ?3)`;
  return (connection: Connection, fresh: Fresh, items: readonly { readonly solutionId: string }[]) => {
    const added = new Map<number, Set<string>>();
    const stored = findSolutions(
      connection,
      items.flatMap(({ solutionId }) => (fresh.has(solutionId) ? [] : [solutionId])),
    );
    return (solutionId: string, id: string, ...rest: readonly SqlValue[]): Addition | null => {
      const known = fresh.get(solutionId);
      if (known === undefined) {
        const solution = stored.get(solutionId) ?? refOf(connection, 'solutions', solutionId);
        return connection.run(addNext, solution, 0, id, ...rest) === 0 ? null : { solution, fresh: false };
      }
      const ids = added.get(known) ?? new Set();
      added.set(known, ids);
      if (ids.has(id)) return null;
      connection.run(addFirst, known, ids.size, id, ...rest);
      ids.add(id);
      return { solution: known, fresh: true };
    };
  };
}

const addFeedback = adder('feedback', ['source', 'given_by', 'value', 'reason', 'checksum']);
const addRefinement = adder('refinements', ['verdict', 'reason', 'cites', 'checksum']);

export function feedbackChecksum(item: Feedback): number {
  return checksum(item.id, item.source, item.by, JSON.stringify(item.value), item.reason ?? null);
}

/** In [0, 1]; null where the value is words. */
function scoreOf({ value }: Feedback): number | null {
  if (value.kind === 'pass') return value.pass ? 1 : 0;
  return value.kind === 'score' ? value.score : null;
}

/** A person outranks every other source; among equals the newest counts. */
function isHuman({ source }: Feedback): 0 | 1 {
  return source === 'human' ? 1 : 0;
}

export function storeFeedback(connection: Connection, feedback: readonly Feedback[], fresh: Fresh): void {
  const add = addFeedback(connection, fresh, feedback);
  for (const item of feedback) {
    const added = add(
      item.solutionId,
      item.id,
      item.source,
      encodeText(item.by),
      JSON.stringify(item.value),
      encoded(item.reason),
      feedbackChecksum(item),
    );
    if (added === null || added.fresh) continue;
    const score = scoreOf(item);
    if (score === null) continue;
    const human = isHuman(item);
    connection.run(
      'UPDATE solutions SET score = ?, scored_by_human = ? WHERE ref = ? AND scored_by_human <= ?',
      score,
      human,
      added.solution,
      human,
    );
  }
}

export function refinementChecksum(item: Refinement): number {
  return checksum(item.id, item.verdict, item.reason, JSON.stringify(item.cites));
}

export function storeRefinements(
  connection: Connection,
  refinements: readonly Refinement[],
  tally: GroupTally,
  fresh: Fresh,
): void {
  const add = addRefinement(connection, fresh, refinements);
  for (const item of refinements) {
    const added = add(
      item.solutionId,
      item.id,
      item.verdict,
      encodeText(item.reason),
      JSON.stringify(item.cites),
      refinementChecksum(item),
    );
    if (added !== null && !added.fresh) moveTo(connection, added.solution, item.verdict, tally);
  }
}

function moveTo(
  connection: Connection,
  solution: number,
  verdict: Refinement['verdict'],
  tally: GroupTally,
): void {
  const row = connection.get('SELECT experience_group, annotated FROM solutions WHERE ref = ?', solution);
  const from = Number(row?.['experience_group']);
  const annotated = Number(row?.['annotated']);
  const to = tally.beside(from, verdict);
  if (to === from) return;
  connection.run('UPDATE solutions SET experience_group = ? WHERE ref = ?', to, solution);
  tally.leave(from, annotated);
  tally.enter(to, solution, annotated);
}
