// Owns the build: every bundle of dist/, the files copied beside them, their sizes, and the two fences bundling gives:
// only the editor's bundles know `vscode`, and the stub the editor loads at start stays small.
//   node esbuild.mjs [--watch] [--partial] [--out FOLDER]
// --partial leaves out, with a notice, entries that do not exist; --out builds elsewhere than dist/.
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';
import esbuild from 'esbuild';

const root = import.meta.dirname;
const { values: flags } = parseArgs({
  options: { watch: { type: 'boolean' }, partial: { type: 'boolean' }, out: { type: 'string' } },
});
const dist = path.resolve(flags.out ?? path.join(root, 'dist'));
const watch = flags.watch === true;
const partial = flags.partial === true;
const require = createRequire(import.meta.url);

/** The manifest is imported for its version; the rest of it does not belong into a bundle. */
const versionOnly = {
  name: 'version-only',
  setup(build) {
    build.onLoad({ filter: /[\\/]package\.json$/ }, (file) => {
      if (path.dirname(file.path) !== root) return undefined;
      const { version } = JSON.parse(readFileSync(file.path, 'utf8'));
      return { contents: JSON.stringify({ version }), loader: 'json' };
    });
  },
};

const common = {
  bundle: true,
  minify: !watch,
  sourcemap: watch ? 'linked' : false,
  metafile: true,
  legalComments: 'none',
  logLevel: 'warning',
  absWorkingDir: root,
  plugins: [versionOnly],
};
const node = { ...common, platform: 'node', target: 'node22' };
// Packages written for CommonJS ask for what an ES module does not have by itself.
const requireBanner = [
  "import { createRequire as ratchetRequire } from 'node:module';",
  'const require = ratchetRequire(import.meta.url);',
  'const __filename = import.meta.filename, __dirname = import.meta.dirname;',
].join(' ');
const worker = { ...node, format: 'esm', banner: { js: requireBanner }, outExtension: { '.js': '.mjs' } };
// The engine and the command line are one program started in two ways; what is rarely needed is a chunk of its own.
const program = { ...worker, splitting: true, chunkNames: 'shared-[hash]' };
const editor = { ...node, format: 'cjs', external: ['vscode'], outExtension: { '.js': '.cjs' } };
const browser = {
  ...common,
  platform: 'browser',
  format: 'iife',
  target: ['chrome138'],
  define: { 'process.env.NODE_ENV': '"production"' },
};

/** Bundles with the same `options` are built together, so that two of them can share code where these allow it. */
const bundles = [
  { entry: 'src/host/extension.ts', out: 'extension.cjs', options: editor, maximumBytes: 60 * 1024 },
  { entry: 'src/host/main.ts', out: 'host.cjs', options: editor },
  { entry: 'src/engine/main.ts', out: 'engine.mjs', options: program },
  { entry: 'src/cli/main.ts', out: 'cli.mjs', options: program },
  { entry: 'src/adapters/store/worker.ts', out: 'storeWorker.mjs', options: worker },
  { entry: 'src/adapters/pocket/worker.ts', out: 'pocketWorker.mjs', options: worker },
  { entry: 'webview/main.ts', out: 'webview.js', options: browser },
];

const copies = [{ from: require.resolve('sql.js/dist/sql-wasm.wasm'), to: 'sql-wasm.wasm' }];

const present = bundles.filter(({ entry }) => existsSync(path.join(root, entry)));
for (const { entry, out } of bundles.filter((bundle) => !present.includes(bundle))) {
  if (!partial) fail(`${entry} is missing, so dist/${out} cannot be built.`);
  process.stderr.write(`Left out dist/${out}: there is no ${entry}.\n`);
}

mkdirSync(dist, { recursive: true });
for (const file of readdirSync(dist)) if (file.startsWith('shared-')) rmSync(path.join(dist, file));
for (const { from, to } of copies) copyFileSync(from, path.join(dist, to));

const settings = [...new Set(present.map(({ options }) => options))].map((options) => ({
  ...options,
  outdir: dist,
  entryPoints: present
    .filter((bundle) => bundle.options === options)
    .map(({ entry, out }) => ({ in: path.join(root, entry), out: path.parse(out).name })),
}));

if (watch) {
  const contexts = await Promise.all(
    settings.map((options) => esbuild.context({ ...options, logLevel: 'info' })),
  );
  await Promise.all(contexts.map((context) => context.watch()));
  process.stdout.write('Watching; Ctrl-C ends it.\n');
} else {
  const results = await Promise.all(settings.map((options) => esbuild.build(options))).catch(() =>
    fail('The build failed; the reasons are above.'),
  );
  report(results);
}

/** Prints what is in dist/ with the packages that weigh most, and fails where a bundle is over its limit. */
function report(results) {
  const rows = results
    .flatMap(({ metafile }) => Object.entries(metafile.outputs))
    .map(([file, output]) => [path.basename(file), output.bytes, heaviest(output.inputs)]);
  const copied = copies.map(({ to }) => [to, statSync(path.join(dist, to)).size, '']);
  for (const [name, bytes, note] of [...rows, ...copied]) {
    process.stdout.write(`${name.padEnd(18)} ${kilobytes(bytes).padStart(9)}  ${note}\n`);
  }
  for (const { out, maximumBytes } of present) {
    const bytes = rows.find(([name]) => name === out)?.[1] ?? 0;
    if (maximumBytes !== undefined && bytes > maximumBytes) {
      fail(`dist/${out} has ${kilobytes(bytes)}, over its limit of ${kilobytes(maximumBytes)}.`);
    }
  }
}

function heaviest(inputs) {
  const weights = new Map();
  for (const [file, { bytesInOutput }] of Object.entries(inputs)) {
    const name = /node_modules\/((?:@[^/]+\/)?[^/]+)\/(?!.*node_modules\/)/.exec(file)?.[1] ?? 'own';
    weights.set(name, (weights.get(name) ?? 0) + bytesInOutput);
  }
  const top = [...weights].sort(([, a], [, b]) => b - a).slice(0, 4);
  return top.map(([name, bytes]) => `${name} ${kilobytes(bytes)}`).join(', ');
}

function kilobytes(bytes) {
  return `${(bytes / 1024).toFixed(1)} KB`;
}

function fail(sentence) {
  process.stderr.write(`${sentence}\n`);
  process.exit(1);
}
