/** The engine that ships, as processes: who owns a workspace when windows, command lines, kills, stops and clocks meet. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, describe, expect, test } from 'vitest';
import { connectEngine } from '../../src/client/connect.ts';
import { workspacePaths } from '../../src/client/endpoint.ts';
import { takeOwnership } from '../../src/engine/ownership.ts';
import { listRuns } from '../../src/protocol/engine.ts';
import { cleanUp, connectTo, isAlive, newFolder, signal, until, version } from '../unit/engine/helpers.ts';

const engine = fileURLToPath(new URL('../../dist/engine.mjs', import.meta.url));
const cli = fileURLToPath(new URL('../../dist/cli.mjs', import.meta.url));
const run = promisify(execFile);

afterEach(cleanUp);

const connect = (workspace: string, environment: NodeJS.ProcessEnv = {}) =>
  connectTo(workspace, engine, { environment: { RATCHET_IDLE_MS: '60000', ...environment } });

/** A window that only tries for a while. */
const tries = (workspace: string, limitMs: number, engineScript = engine) =>
  connectEngine(
    {
      workspaceFolder: workspace,
      engineScript,
      nodePath: process.execPath,
      client: 'editor',
      version,
      start: 'ifNeeded',
    },
    limitMs,
  );

async function killed(pid: number): Promise<void> {
  signal(pid, 'SIGKILL');
  await until('the engine to die', () => !isAlive(pid), 30_000);
}

/** A clock that leaps ten years ahead and back again, five times a second. */
const LEAPING_CLOCK = `data:text/javascript,${encodeURIComponent(
  'const now = Date.now; let skew = 0; setInterval(() => (skew = skew === 0 ? 3.15e11 : 0), 100).unref(); Date.now = () => now() + skew;',
)}`;

interface Scenario {
  readonly name: string;
  readonly happens: (workspace: string) => Promise<void>;
}

const SCENARIOS: readonly Scenario[] = [
  {
    name: 'two windows that start at once get the same engine',
    happens: async (workspace) => {
      const [one, other] = await Promise.all([connect(workspace), connect(workspace)]);
      expect(other.hello.pid).toBe(one.hello.pid);
    },
  },
  {
    name: 'a reload: the new window joins while the old one still lives, and keeps the engine when that goes',
    happens: async (workspace) => {
      const before = await connect(workspace);
      await before.request(listRuns, {});
      const after = await connect(workspace);
      before.close();
      await sleep(500);
      expect(after.hello.pid).toBe(before.hello.pid);
      expect(await after.request(listRuns, {})).toEqual([]);
    },
  },
  {
    name: 'a command line beside a window is a client of its engine',
    happens: async (workspace) => {
      const window = await connect(workspace);
      await window.request(listRuns, {});
      const { stdout } = await run(process.execPath, [cli, 'store', 'verify', '--workspace', workspace]);
      expect(stdout).not.toBe('');
      expect(isAlive(window.hello.pid)).toBe(true);
      expect(await window.request(listRuns, {})).toEqual([]);
    },
  },
  {
    name: 'a stopped owner is not followed, and serves on when it is woken',
    happens: async (workspace) => {
      const { hello } = await connect(workspace);
      signal(hello.pid, 'SIGSTOP');
      try {
        await expect(tries(workspace, 1_500)).rejects.toThrow(/does not answer/);
        expect(await takeOwnership(workspacePaths(workspace).lock)).toBeNull();
      } finally {
        signal(hello.pid, 'SIGCONT');
      }
      expect((await connect(workspace)).hello.pid).toBe(hello.pid);
    },
  },
  {
    name: 'a killed owner is followed at once',
    happens: async (workspace) => {
      const { hello } = await connect(workspace);
      await killed(hello.pid);
      const ownership = await takeOwnership(workspacePaths(workspace).lock);
      expect(ownership).not.toBeNull();
      ownership?.release();
      expect((await connect(workspace)).hello.pid).not.toBe(hello.pid);
    },
  },
  {
    name: 'the number of a dead owner that another process has now keeps nobody out',
    happens: async (workspace) => {
      const { hello } = await connect(workspace);
      await killed(hello.pid);
      const { note } = workspacePaths(workspace);
      writeFileSync(note, readFileSync(note, 'utf8').replace(String(hello.pid), String(process.pid)));
      const next = await connect(workspace);
      expect(next.hello.pid).not.toBe(hello.pid);
      expect(next.hello.pid).not.toBe(process.pid);
    },
  },
  {
    name: 'the number of a dead process in the note lets nobody in beside a living owner',
    happens: async (workspace) => {
      const { hello } = await connect(workspace);
      const gone = spawn(process.execPath, ['-e', '']);
      await once(gone, 'close');
      const { note, lock } = workspacePaths(workspace);
      writeFileSync(note, readFileSync(note, 'utf8').replace(String(hello.pid), String(gone.pid)));
      expect(await takeOwnership(lock)).toBeNull();
      expect((await connect(workspace)).hello.pid).toBe(hello.pid);
    },
  },
  {
    name: 'an owner whose clock leaps by ten years, there and back, is the owner all the while',
    happens: async (workspace) => {
      const { hello } = await connect(workspace, { NODE_OPTIONS: `--import ${LEAPING_CLOCK}` });
      for (let look = 0; look < 5; look++) {
        expect(await takeOwnership(workspacePaths(workspace).lock)).toBeNull();
        await sleep(70);
      }
      const other = await connect(workspace);
      expect(other.hello.pid).toBe(hello.pid);
      expect(await other.request(listRuns, {})).toEqual([]);
    },
  },
];

describe('ownership of a workspace, by the engine that ships', () => {
  test.each(SCENARIOS)('$name', async ({ happens }) => happens(newFolder()), 600_000);
});

describe('a folder that cannot be owned', () => {
  // SQLite's own "unix-none" grants every lock and keeps nobody out, as some network file systems do.
  test('is refused with the reason where locks keep nobody out', async () => {
    const lock = `${pathToFileURL(path.join(newFolder(), 'engine.lock')).href}?vfs=unix-none`;
    await expect(takeOwnership(lock)).rejects.toThrow(/File locks do not work in this folder/);
  });

  test.runIf(process.platform !== 'win32')(
    'is named in one sentence where nothing can be written any more',
    async () => {
      const workspace = newFolder();
      const folder = path.join(workspace, '.ratchet');
      mkdirSync(folder);
      writeFileSync(path.join(folder, '.gitignore'), '*\n');
      chmodSync(workspace, 0o755);
      chmodSync(folder, 0o555);
      const script = path.join(workspace, 'withoutRights.mjs');
      // Root may write everywhere: the engine is nobody then.
      const drop = 'if (process.getuid() === 0) { process.setgid(65534); process.setuid(65534); }';
      writeFileSync(script, `${drop}\nawait import(${JSON.stringify(pathToFileURL(engine).href)});\n`);
      await expect(tries(workspace, 60_000, script)).rejects.toThrow(
        /^The folder \S+ cannot be written \(EACCES\); Ratchet keeps its data there\.$/,
      );
    },
    90_000,
  );

  test('is named where a file is in its way', async () => {
    const workspace = newFolder();
    writeFileSync(path.join(workspace, '.ratchet'), '');
    await expect(tries(workspace, 60_000)).rejects.toThrow(/cannot be written/);
  }, 90_000);
});
