// Owns reading recorded data with known answers, which is on some machines only; tests that need it skip without it.
import { existsSync, readFileSync } from 'node:fs';

const data = new URL('../../../../shared/data/', import.meta.url);
export const recordedPresent = existsSync(data);
if (!recordedPresent) console.warn('Recorded data is not checked: ../shared/data is absent.');

export function recordedText(file: string): string {
  return readFileSync(new URL(file, data), 'utf8');
}

export function recordedJson<Value>(file: string): Value {
  return JSON.parse(recordedText(file)) as Value;
}

export function recordedRows<Row>(file: string): Row[] {
  return recordedText(file)
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Row);
}

/** What a correct implementation gets, as recorded beside the data. */
export function expected<Value>(key: string): Value {
  return recordedJson<Record<string, Value>>('EXPECTED.json')[key] as Value;
}
