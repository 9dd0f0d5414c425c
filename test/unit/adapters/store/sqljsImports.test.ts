import { describe, expect, test } from 'vitest';
import { readFileSync } from 'node:fs';
import { format } from 'node:util';
import { loadSqlite } from '../../../../src/adapters/store/sqlite.ts';
import { SQLJS_VERSION, WASM_SHA256 } from '../../../../src/adapters/store/sqljsImports.ts';
import { wasm } from './samples.ts';

interface Derivation {
  readonly deriveImports: () => { readonly version: string; readonly wasmSha256: string };
  readonly renderImports: (table: object) => string;
}

const script = new URL('../../../../scripts/derive-sqljs-imports.mjs', import.meta.url);
const committed = new URL('../../../../src/adapters/store/sqljsImports.ts', import.meta.url);

describe('the import table of sql.js', () => {
  test('is what the installed package gives', async () => {
    const { deriveImports, renderImports } = (await import(script.href)) as Derivation;
    const derived = deriveImports();
    expect(derived).toMatchObject({ version: SQLJS_VERSION, wasmSha256: WASM_SHA256 });
    expect(renderImports(derived)).toBe(readFileSync(committed, 'utf8'));
  });

  test('is not used with any other wasm', async () => {
    await loadSqlite(wasm);
    const other = new Uint8Array(wasm);
    other[other.length - 1] = (other.at(-1) ?? 0) ^ 1;
    const refused = await loadSqlite(other).then(
      () => 'loaded',
      (error: unknown) => format('%s', error),
    );
    expect(refused).toContain('install Ratchet again');
  });
});
