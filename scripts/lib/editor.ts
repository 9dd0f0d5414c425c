// Owns the browser-hosted VS Code: which version, installed once into the cache, and how it is started. It does not
// install a user's own VS Code and keeps nothing inside the checkout.
import { spawn, type ChildProcess } from 'node:child_process';
import * as fs from 'node:fs';
import path from 'node:path';
import { onPath, run } from './children.ts';
import { oneAtATime } from './oneAtATime.ts';
import { cacheFolder, root } from './places.ts';
import { say, SetupError } from './say.ts';
import { ensureSystemPackages } from './systemPackages.ts';

const version = '4.139.1';

/** How to start one editor server; its settings, extensions and log go where the caller says. */
export type EditorServer = {
  readonly port: number;
  /** Holds the user's settings and the editor's own files. */
  readonly profile: string;
  readonly extensions: string;
  readonly log: string;
  /** False starts every folder as untrusted, as a cautious user would. */
  readonly trusted: boolean;
  /** Added to the environment of the server and so of every extension. */
  readonly environment?: Readonly<Record<string, string>>;
};

/** The entry script of the installed editor, installing it first where it is absent (about 3 minutes, once). */
export async function ensureEditor(): Promise<string> {
  if (process.platform !== 'linux') {
    throw new SetupError(
      'The browser-hosted VS Code is set up on Linux only; elsewhere install VS Code and put its `code` command on the PATH.',
    );
  }
  const parent = path.join(cacheFolder(), 'editor');
  // Native modules belong to one Node interface version, so that is part of the name.
  const name = `code-server-${version}-${process.versions.modules}-${process.platform}-${process.arch}`;
  const folder = path.join(parent, name);
  const entry = path.join(folder, 'node_modules', 'code-server', 'out', 'node', 'entry.js');
  if (fs.existsSync(entry)) return entry;
  await oneAtATime(
    folder,
    async () => {
      if (!fs.existsSync(entry)) await install(parent, folder);
    },
    () => say('Another set-up is installing the editor; waiting for it.'),
  );
  return entry;
}

/** Starts the editor server in a process group of its own; end it with `endGroup`. */
export function startEditor(entry: string, server: EditorServer): ChildProcess {
  fs.mkdirSync(server.profile, { recursive: true });
  fs.mkdirSync(server.extensions, { recursive: true });
  // Without a file named here it would write one into the user's home.
  const config = path.join(server.profile, 'server.yaml');
  fs.writeFileSync(config, 'auth: none\n');
  const log = fs.openSync(server.log, 'a');
  const args = [
    ...[entry, '--auth', 'none', '--bind-addr', `127.0.0.1:${String(server.port)}`, '--config', config],
    ...['--user-data-dir', server.profile, '--extensions-dir', server.extensions],
    ...['--disable-telemetry', '--disable-update-check', '--disable-getting-started-override'],
    ...(server.trusted ? ['--disable-workspace-trust'] : []),
  ];
  const child = spawn(process.execPath, args, {
    detached: true,
    stdio: ['ignore', log, log],
    env: { ...cleanEnvironment(), ...server.environment },
  });
  fs.closeSync(log);
  return child;
}

/** The address that shows a folder, or a workspace file, in a running editor server. */
export function editorAddress(port: number, place: string, kind: 'folder' | 'workspace' = 'folder'): string {
  return `http://127.0.0.1:${String(port)}/?${kind}=${encodeURIComponent(place).replaceAll('%2F', '/')}`;
}

/** Installs beside the final place and renames when complete, so that an interrupted install never counts. */
async function install(parent: string, folder: string): Promise<void> {
  await ensureSystemPackages('compile the native parts of the browser-hosted VS Code', [
    { packages: ['libkrb5-dev'], present: () => onPath('krb5-config') !== undefined },
    {
      packages: ['build-essential'],
      present: () => onPath('g++') !== undefined && onPath('make') !== undefined,
    },
    { packages: ['python3'], present: () => onPath('python3') !== undefined },
  ]);
  fs.mkdirSync(parent, { recursive: true });
  for (const left of fs.readdirSync(parent).filter((each) => each.startsWith('partial-'))) {
    fs.rmSync(path.join(parent, left), { recursive: true, force: true });
  }
  say(
    `Installing the browser-hosted VS Code (code-server ${version}): it compiles for about 3 minutes, once.`,
  );
  const partial = fs.mkdtempSync(path.join(parent, 'partial-'));
  // Newer npm runs only the install scripts that are named.
  const manifest = { private: true, allowScripts: { 'code-server': true, argon2: true } };
  fs.writeFileSync(path.join(partial, 'package.json'), JSON.stringify(manifest));
  const log = path.join(parent, 'install.log');
  const code = await npmInstall(partial, log);
  if (code !== 0) {
    say(fs.readFileSync(log, 'utf8').trimEnd().split('\n').slice(-15).join('\n'));
    throw new SetupError(`The browser-hosted VS Code could not be installed; the whole log is ${log}`);
  }
  fs.renameSync(partial, folder);
}

async function npmInstall(folder: string, logFile: string): Promise<number> {
  const log = fs.openSync(logFile, 'w');
  const npm = process.env.npm_execpath;
  const given = npm?.endsWith('npm-cli.js') === true ? [process.execPath, npm] : ['npm'];
  const [command = 'npm', ...first] = given;
  const env = {
    ...cleanEnvironment(),
    PATH: [path.dirname(process.execPath), process.env.PATH].join(path.delimiter),
    // Node's own headers came with the npm package; without this node-gyp would fetch them from elsewhere.
    npm_config_nodedir: path.join(
      root,
      'node_modules',
      'node',
      'node_modules',
      `node-${process.platform}-${process.arch}`,
    ),
  };
  const args = [
    ...first,
    'install',
    `code-server@${version}`,
    '--no-audit',
    '--no-fund',
    '--loglevel',
    'notice',
  ];
  const code = await run(command, args, { cwd: folder, env, stdio: ['ignore', log, log] });
  fs.closeSync(log);
  return code;
}

/** The environment without what npm, a test run or another editor added about itself. */
function cleanEnvironment(): NodeJS.ProcessEnv {
  const misleading = [
    /^npm_(lifecycle|package|command|node_execpath)/,
    /^npm_config_((local_|global_)?prefix|user_agent|loglevel|npm_version)$/,
    /^(VITEST|VSCODE_)/,
    /^(INIT_CWD|NODE_ENV|PORT)$/,
  ];
  const kept = Object.entries(process.env).filter(([name]) => !misleading.some((each) => each.test(name)));
  return Object.fromEntries(kept);
}
