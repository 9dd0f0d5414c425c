/** Owns a cheap mark that equal tasks share, for looking through many of them. Deliberately no identity: those are the core's. */
import { hash } from 'node:crypto';
import type { TaskContent } from './mapRow.ts';

/** sha256 of what the task says, 43 characters. */
export function contentMark({ input, context, reference, choices, tests, entryPoint }: TaskContent): string {
  return hash('sha256', JSON.stringify([input, context, reference, choices, tests, entryPoint]), 'base64url');
}
