/**
 * Owns the engine's log file: one line an entry, two files of at most 1 MB each. Deliberately never writes prompts, outputs
 * or keys: a detail is cut down to names, codes, numbers and an error's own words, and the values of key variables are struck out.
 */
import { appendFileSync, renameSync, statSync } from 'node:fs';
import type { Log } from '../core/ports.ts';

const maximumBytes = 1_000_000;
const maximumText = 300;

/** Appends to `file`, keeping the one before it as `<file>.1`. A log that cannot be written never stops the engine. */
export function openLog(file: string, environment: NodeJS.ProcessEnv = process.env): Log {
  const secrets = Object.entries(environment)
    .filter(
      ([name, value]) => /key|token|secret|password/i.test(name) && value !== undefined && value.length >= 6,
    )
    .map(([, value]) => value ?? '');
  const write = (level: string, message: string, detail: unknown) => {
    const words = detail === undefined ? '' : ` ${JSON.stringify(plain(detail))}`;
    const line = secrets.reduce((text, secret) => text.replaceAll(secret, '***'), `${message}${words}`);
    try {
      if ((statSync(file, { throwIfNoEntry: false })?.size ?? 0) > maximumBytes)
        renameSync(file, `${file}.1`);
      appendFileSync(
        file,
        `${new Date().toISOString()} ${process.pid} ${level} ${line.replaceAll('\n', ' | ')}\n`,
        { mode: 0o600 },
      );
    } catch {
      return;
    }
  };
  return {
    info: (message, detail) => write('info', message, detail),
    warn: (message, detail) => write('warn', message, detail),
    error: (message, detail) => write('error', message, detail),
  };
}

function plain(detail: unknown): unknown {
  if (detail instanceof Error) {
    const code = (detail as { code?: unknown }).code;
    return {
      name: detail.name,
      message: cut(detail.message),
      ...(typeof code === 'string' || typeof code === 'number' ? { code } : {}),
      at: detail.stack
        ?.split('\n')
        .filter((line) => line.startsWith('    at '))
        .slice(0, 6)
        .map((line) => line.trim()),
      ...(detail.cause === undefined ? {} : { cause: plain(detail.cause) }),
    };
  }
  if (typeof detail === 'string') return cut(detail);
  if (detail === null || typeof detail !== 'object')
    return typeof detail === 'number' || typeof detail === 'boolean' ? detail : typeof detail;
  const members = Object.entries(detail).filter(
    ([name]) => !/prompt|output|input|message|text|content|key|token/i.test(name),
  );
  return Object.fromEntries(
    members.map(([name, member]) => [
      name,
      typeof member === 'object' && !(member instanceof Error) ? typeof member : plain(member),
    ]),
  );
}

function cut(text: string): string {
  return text.length <= maximumText ? text : `${text.slice(0, maximumText)}...`;
}
