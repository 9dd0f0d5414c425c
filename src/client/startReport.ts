/** Owns the one line a starting engine writes to its standard output, so that a failed start is told, not guessed from a silence. */
import * as z from 'zod';

const report = z.discriminatedUnion('state', [
  /** Listening; the workspace's note says where. */
  z.object({ state: z.literal('ready') }),
  /** Another living process owns the workspace; this one ends. */
  z.object({ state: z.literal('owned') }),
  z.object({
    state: z.literal('failed'),
    kind: z.enum([
      'invalid',
      'notFound',
      'busy',
      'changed',
      'store',
      'damaged',
      'provider',
      'unreachable',
      'internal',
    ]),
    sentence: z.string(),
  }),
]);

export type StartReport = z.infer<typeof report>;

/** The first line that is a report, or null when the text holds none. */
export function parseStartReport(text: string): StartReport | null {
  for (const line of text.split('\n')) {
    if (!line.startsWith('{')) continue;
    try {
      const parsed = report.safeParse(JSON.parse(line));
      if (parsed.success) return parsed.data;
    } catch {
      continue;
    }
  }
  return null;
}

export function formatStartReport(value: StartReport): string {
  return `${JSON.stringify(value)}\n`;
}
