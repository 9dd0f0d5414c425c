/** Owns reading what an endpoint says of a batch. Deliberately asks nothing and decides nothing. */
import { listOf, objectOf, tokenCount } from './json.ts';

export interface BatchState {
  readonly id: string;
  /** `working` for every state that passes, also one that is not known here. */
  readonly status: 'working' | 'completed' | 'failed' | 'expired' | 'cancelled';
  readonly outputFile: string | null;
  readonly errorFile: string | null;
  /** Requests answered or failed so far; null when it does not say. */
  readonly counts: { readonly completed: number; readonly failed: number } | null;
  readonly errors: readonly BatchFault[];
  /** What the submitter wrote on it. */
  readonly tag: string | null;
}

/** Why a batch was not begun. */
export interface BatchFault {
  readonly code: string;
  readonly message: string;
  readonly param: string;
  /** Line of the input file, from 1; null for the file as a whole. */
  readonly line: number | null;
}

const text = (value: unknown): string => (typeof value === 'string' ? value : '');
const name = (value: unknown): string | null => (typeof value === 'string' && value !== '' ? value : null);

function statusOf(value: unknown): BatchState['status'] {
  switch (value) {
    case 'completed':
    case 'failed':
    case 'expired':
    case 'cancelled':
      return value;
    default:
      return 'working';
  }
}

/** Null for what is no batch. */
export function batchState(body: unknown): BatchState | null {
  const batch = objectOf(body);
  const id = name(batch?.['id']);
  if (batch === null || id === null || typeof batch['status'] !== 'string') return null;
  const counts = objectOf(batch['request_counts']);
  const completed = tokenCount(counts?.['completed']);
  return {
    id,
    status: statusOf(batch['status']),
    outputFile: name(batch['output_file_id']),
    errorFile: name(batch['error_file_id']),
    counts: completed === null ? null : { completed, failed: tokenCount(counts?.['failed']) ?? 0 },
    errors: listOf(objectOf(batch['errors'])?.['data']).map((each) => {
      const error = objectOf(each);
      return {
        code: text(error?.['code']),
        message: text(error?.['message']),
        param: text(error?.['param']),
        line: tokenCount(error?.['line']),
      };
    }),
    tag: name(objectOf(batch['metadata'])?.['ratchet']),
  };
}
