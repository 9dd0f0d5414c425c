/** Owns the rows of the ledger: settled effects by key, and the sums they add up to. Deliberately reserves nothing. */
import type { EffectKey, RunId } from '../../core/model/ids.ts';
import type { EffectPage, EffectRecord, StepUsage } from '../../core/model/effect.ts';
import type { Connection, Row } from './connection.ts';
import { checksum, encodeText } from './payload.ts';
import { readRow } from './readRow.ts';
import { nextRef, refOf } from './refs.ts';
import { ARMS, EFFECT_KINDS } from './words.ts';

export interface Spent {
  readonly calls: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
}

export function effectChecksum({ key, kind, result, usage, ms }: EffectRecord): number {
  return checksum(key, kind, result, usage.input, usage.output, ms);
}

export function toEffect(path: string, row: Row): EffectRecord {
  const key = String(row['key']);
  const reader = readRow(path, `effect ${key}`, row);
  const record: EffectRecord = {
    key: key as EffectKey,
    kind: reader.word('kind', EFFECT_KINDS),
    at: { arm: reader.word('arm', ARMS), round: reader.number('round'), step: reader.text('step') },
    result: reader.text('result'),
    usage: { input: reader.numberOrNull('input_tokens'), output: reader.numberOrNull('output_tokens') },
    ms: reader.number('ms'),
  };
  reader.verify(effectChecksum(record));
  return record;
}

export function findEffects(
  connection: Connection,
  runId: RunId,
  keys: readonly EffectKey[],
): ReadonlyMap<EffectKey, EffectRecord> {
  const run = refOf(connection, 'runs', runId);
  const found = new Map<EffectKey, EffectRecord>();
  for (const key of keys) {
    const row = connection.get('SELECT * FROM effects WHERE run = ? AND key = ?', run, key);
    if (row !== null) found.set(key, toEffect(connection.path, row));
  }
  return found;
}

/** Stores what is not settled yet, inside the caller's transaction. */
export function settleEffects(connection: Connection, runId: RunId, records: readonly EffectRecord[]): void {
  const run = refOf(connection, 'runs', runId);
  let ref = nextRef(connection, 'effects');
  const sum = { calls: 0, input: 0, output: 0 };
  for (const record of records) {
    const { key, kind, at, usage } = record;
    const added = connection.run(
      `INSERT INTO effects (ref, run, key, kind, arm, round, step, result, input_tokens, output_tokens, ms, checksum)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (run, key) DO NOTHING`,
      ref,
      run,
      key,
      kind,
      at.arm,
      at.round,
      at.step,
      encodeText(record.result),
      usage.input,
      usage.output,
      record.ms,
      effectChecksum(record),
    );
    if (added === 0) continue;
    ref++;
    sum.calls += kind === 'model' ? 1 : 0;
    sum.input += usage.input ?? 0;
    sum.output += usage.output ?? 0;
  }
  connection.run(
    `UPDATE run_summaries SET calls = calls + ?, input_tokens = input_tokens + ?, output_tokens = output_tokens + ?
     WHERE run = ?`,
    sum.calls,
    sum.input,
    sum.output,
    run,
  );
}

/** In the order they were settled, from after `after`; at most `limit`. */
export function effectPage(connection: Connection, runId: RunId, after: number, limit: number): EffectPage {
  const run = refOf(connection, 'runs', runId);
  const rows = connection.all(
    'SELECT * FROM effects WHERE run = ? AND ref > ? ORDER BY ref LIMIT ?',
    run,
    after,
    limit,
  );
  const last = rows.at(-1);
  return {
    items: rows.map((row) => toEffect(connection.path, row)),
    next: last === undefined || rows.length < limit ? null : Number(last['ref']),
  };
}

/** What the answers of a run used, by step; only those that said all of it. */
export function usageBySteps(connection: Connection, runId: RunId): readonly StepUsage[] {
  const run = refOf(connection, 'runs', runId);
  return connection
    .all(
      `SELECT step, count(*) AS calls, sum(input_tokens) AS input, sum(output_tokens) AS output,
         sum(output_tokens * output_tokens) AS output_squares, sum(ms) AS ms
       FROM effects
       WHERE run = ? AND kind = 'model' AND input_tokens IS NOT NULL AND output_tokens IS NOT NULL GROUP BY step`,
      run,
    )
    .map((row) => {
      const reader = readRow(connection.path, 'the usage of a step', row);
      return {
        step: reader.text('step'),
        calls: reader.number('calls'),
        input: reader.number('input'),
        output: reader.number('output'),
        outputSquares: reader.number('output_squares'),
        ms: reader.number('ms'),
      };
    });
}

export function spent(connection: Connection, runId: RunId): Spent {
  const run = refOf(connection, 'runs', runId);
  const row = connection.get(
    'SELECT calls, input_tokens, output_tokens FROM run_summaries WHERE run = ?',
    run,
  );
  const reader = readRow(connection.path, `run ${runId}`, row ?? {});
  return {
    calls: reader.number('calls'),
    inputTokens: reader.number('input_tokens'),
    outputTokens: reader.number('output_tokens'),
  };
}
