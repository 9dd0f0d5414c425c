/**
 * Owns storing tasks, solutions, feedback and refinements: once each, with the score and verdict of their solution kept up.
 * Deliberately changes no text once it is stored.
 */
import type { Position } from '../../core/model/event.ts';
import type { Feedback, Refinement } from '../../core/model/feedback.ts';
import type { ExperienceKey } from '../../core/model/ids.ts';
import type { Solution, Task } from '../../core/model/task.ts';
import type { Connection, SqlValue } from './connection.ts';
import type { GroupTally } from './experienceGroups.ts';
import { checksum, encodeText } from './payload.ts';
import { findRef, nextRef, refOf } from './refs.ts';

type PlacedSolution = Solution & { readonly at: Position; readonly key: ExperienceKey };

const encoded = (text: string | null | undefined): string | Uint8Array | null =>
  text === null || text === undefined ? null : encodeText(text);

export function taskChecksum(task: Task): number {
  return checksum(task.id, task.input, task.context ?? null, task.reference ?? null);
}

export function storeTasks(connection: Connection, run: number, tasks: readonly Task[]): void {
  if (tasks.length === 0) return;
  let next = nextRef(connection, 'tasks');
  for (const task of tasks) {
    let ref = findRef(connection, 'tasks', task.id);
    if (ref === null) {
      ref = next++;
      connection.run(
        'INSERT INTO tasks (ref, id, input, context, reference, checksum) VALUES (?, ?, ?, ?, ?, ?)',
        ref,
        task.id,
        encodeText(task.input),
        encoded(task.context),
        encoded(task.reference),
        taskChecksum(task),
      );
    }
    connection.run(
      'INSERT INTO run_tasks (run, task, split) VALUES (?, ?, ?) ON CONFLICT DO NOTHING',
      run,
      ref,
      task.split,
    );
  }
}

export function storeSolutions(
  connection: Connection,
  run: number,
  solutions: readonly PlacedSolution[],
  tally: GroupTally,
  refs: { readonly task: (id: string) => number; readonly candidate: (id: string) => number },
): void {
  if (solutions.length === 0) return;
  let ref = nextRef(connection, 'solutions');
  const anyAnnotation = connection.get('SELECT 1 FROM annotations LIMIT 1') !== null;
  for (const solution of solutions) {
    const { at, usage } = solution;
    const group = tally.find(run, at.arm, at.round, 'unrefined');
    const annotated = anyAnnotation && isAnnotated(connection, solution.key) ? 1 : 0;
    const added = connection.run(
      `INSERT INTO solutions (ref, id, key, run, task, candidate, experience_group, step, sample, temperature, finish,
         input_tokens, output_tokens, score, scored_by_human, annotated)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, NULL, 0, ?) ON CONFLICT (id) DO NOTHING`,
      ref,
      solution.id,
      solution.key,
      run,
      refs.task(solution.taskId),
      refs.candidate(solution.candidateId),
      group,
      at.step,
      solution.sample,
      solution.temperature,
      solution.finish,
      usage.input,
      usage.output,
      annotated,
    );
    if (added === 0) continue;
    connection.run(
      'INSERT INTO solution_texts (solution, output, answer, checksum) VALUES (?, ?, ?, ?)',
      ref,
      encodeText(solution.output),
      encoded(solution.answer),
      checksum(solution.id, solution.output, solution.answer),
    );
    tally.enter(group, ref, annotated);
    ref++;
  }
}

function isAnnotated(connection: Connection, key: ExperienceKey): boolean {
  return connection.get('SELECT 1 FROM annotations WHERE key = ?', key) !== null;
}

/**
 * Adds a row about the solution with id ?1, after those it has, unless the row with id ?2 is there; gives the solution.
 * `columns` are set to ?3, ?4 and so on.
 */
function addingTo(table: 'feedback' | 'refinements', columns: readonly string[]): string {
  return `INSERT INTO ${table} (solution, position, id, ${columns.join(', ')})
    SELECT s.ref, (SELECT count(*) FROM ${table} WHERE solution = s.ref), ?2,
      ${columns.map((_, index) => `?${index + 3}`).join(', ')}
    FROM solutions s
    WHERE s.id = ?1 AND NOT EXISTS (SELECT 1 FROM ${table} WHERE solution = s.ref AND id = ?2)
    RETURNING solution`;
}

const ADD_FEEDBACK = addingTo('feedback', ['source', 'given_by', 'value', 'reason', 'checksum']);
const ADD_REFINEMENT = addingTo('refinements', ['verdict', 'reason', 'cites', 'checksum']);

/** The solution a row was added to, or null when the row was there. Throws StoreError when there is no such solution. */
function addTo(
  connection: Connection,
  sql: string,
  solutionId: string,
  ...values: readonly SqlValue[]
): number | null {
  const solution = connection.get(sql, solutionId, ...values)?.['solution'];
  if (typeof solution === 'number') return solution;
  refOf(connection, 'solutions', solutionId);
  return null;
}

export function feedbackChecksum(item: Feedback): number {
  return checksum(item.id, item.source, item.by, JSON.stringify(item.value), item.reason ?? null);
}

/** In [0, 1]; null where the value is words. */
function scoreOf({ value }: Feedback): number | null {
  if (value.kind === 'pass') return value.pass ? 1 : 0;
  return value.kind === 'score' ? value.score : null;
}

export function storeFeedback(connection: Connection, feedback: readonly Feedback[]): void {
  for (const item of feedback) {
    const solution = addTo(
      connection,
      ADD_FEEDBACK,
      item.solutionId,
      item.id,
      item.source,
      encodeText(item.by),
      JSON.stringify(item.value),
      encoded(item.reason),
      feedbackChecksum(item),
    );
    if (solution === null) continue;
    const score = scoreOf(item);
    if (score === null) continue;
    // A person outranks every other source; among equals the newest counts.
    const human = item.source === 'human' ? 1 : 0;
    connection.run(
      'UPDATE solutions SET score = ?, scored_by_human = ? WHERE ref = ? AND scored_by_human <= ?',
      score,
      human,
      solution,
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
): void {
  for (const item of refinements) {
    const solution = addTo(
      connection,
      ADD_REFINEMENT,
      item.solutionId,
      item.id,
      item.verdict,
      encodeText(item.reason),
      JSON.stringify(item.cites),
      refinementChecksum(item),
    );
    if (solution === null) continue;
    moveTo(connection, solution, item.verdict, tally);
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
