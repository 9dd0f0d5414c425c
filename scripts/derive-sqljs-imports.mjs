// Owns the derivation of sql.js's import table: which minified import of its wasm is which system call.
// Reads the installed package's own glue; fails when any call matches no function, or more than one.
// Deliberately not run for users: its output is committed and a unit test derives it again.
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

const require = createRequire(import.meta.url);
const target = new URL('../src/adapters/store/sqljsImports.ts', import.meta.url);

// Each call is known by its number of parameters and by constants and names that minifying leaves alone.
const SIGNS = {
  openat: [4, /&64&&\(\w&=-19\)/, /\.fd\}catch/],
  close: [1, /^function\((\w)\)\{try\{var (\w)=\w+\(\1\);\w+\(\2\);return 0\}/],
  seek: [4, /BigInt\(\w\.position\)/],
  read: [4, /!\w\.seekable\)throw/, /!\w\.\w+\.read\)/],
  write: [4, /new Uint8Array\(\w\)/, /\.subarray\(/],
  sync: [1, /\?\.fsync\?\./],
  fstat: [2, /\w=\w\?\w:\w;\w\?\?=/],
  stat: [2, /^function\((\w),(\w)\)\{try\{return \1=\w+\(\1\),\w+\(\2,\w+\(\1\)\)\}/],
  lstat: [2, /^function\((\w),(\w)\)\{try\{return \1=\w+\(\1\),\w+\(\2,\w+\(\1,!0\)\)\}/],
  access: [3, /&-8\)return-28/, /\+="r"/],
  unlinkat: [3, /===512\)/],
  truncate: [2, /isNaN\(\w\)\)return-22/],
  fcntl: [3, /case 13:case 14:return 0/],
  fchown: [1, /\.node,\{timestamp:Date\.now\(\)/],
  fchmod: [2, /^function\(\w,(\w)\)\{try\{var (\w)=\w+\(\w\);\w+\(\2,\2\.node,\1\);return 0\}/],
};

/** The imports object that the installed glue hands to its wasm. */
function glueImports() {
  const path = require.resolve('sql.js/dist/sql-wasm.js');
  delete require.cache[path];
  let captured;
  // The glue waits for an instance for ever: it is only asked what it would have imported.
  void require(path)({ instantiateWasm: (imports) => void (captured = imports) });
  delete require.cache[path];
  const modules = Object.keys(captured ?? {});
  if (modules.length !== 1) throw new Error(`sql.js's glue imports ${modules.length} modules, not one.`);
  return { module: modules[0], functions: captured[modules[0]] };
}

/** `{ version, wasmSha256, module, calls }` of the installed sql.js; throws when a call cannot be told apart. */
export function deriveImports() {
  const wasm = readFileSync(require.resolve('sql.js/dist/sql-wasm.wasm'));
  const { version } = JSON.parse(
    readFileSync(new URL('../package.json', `file://${require.resolve('sql.js/dist/sql-wasm.js')}`), 'utf8'),
  );
  const { module, functions } = glueImports();
  const wanted = new Set(WebAssembly.Module.imports(new WebAssembly.Module(wasm)).map((entry) => entry.name));
  const calls = {};
  for (const [call, [arity, ...signs]] of Object.entries(SIGNS)) {
    const found = Object.entries(functions).filter(
      ([name, body]) =>
        wanted.has(name) &&
        body.length === arity &&
        signs.every((sign) => sign.test(String(body).replaceAll('\n', ''))),
    );
    if (found.length !== 1)
      throw new Error(`sql.js ${version}: ${found.length} imports look like ${call}; its glue has changed.`);
    calls[call] = found[0][0];
  }
  if (new Set(Object.values(calls)).size !== Object.keys(SIGNS).length)
    throw new Error(`sql.js ${version}: one import looks like two calls; its glue has changed.`);
  return { version, wasmSha256: createHash('sha256').update(wasm).digest('hex'), module, calls };
}

/** The source of src/adapters/store/sqljsImports.ts. */
export function renderImports({ version, wasmSha256, module, calls }) {
  return `/**
 * Owns which import of sql.js's wasm is which system call. Written by scripts/derive-sqljs-imports.mjs from the
 * installed package; a unit test derives it again. Deliberately never edited by hand.
 */

export const SQLJS_VERSION = '${version}';

/** sha256 of dist/sql-wasm.wasm of that version: the names below mean nothing in any other. */
export const WASM_SHA256 = '${wasmSha256}';

export const IMPORT_MODULE = '${module}';

export const IMPORTS = {
${Object.entries(calls)
  .map(([call, name]) => `  ${call}: '${name}',`)
  .join('\n')}
} as const;
`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(target, renderImports(deriveImports()));
}
