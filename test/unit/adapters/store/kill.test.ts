import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { openDatabase } from '../../../../src/adapters/store/database.ts';
import { createStore } from '../../../../src/adapters/store/localStore.ts';
import { stream } from '../../../../src/core/measure/random.ts';
import { inFolder, runId, sampleEffect, solve, wasm } from './samples.ts';

const KILLS = 10;
const writer = fileURLToPath(new URL('killedWriter.ts', import.meta.url));

/** Starts the writer, kills it `after` milliseconds into its commits, and gives what it said. */
function writeAndKill(file: string, after: number): Promise<string> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [writer, file], { stdio: ['ignore', 'pipe', 'inherit'] });
    let said = '';
    let started = false;
    child.stdout.on('data', (bytes: Buffer) => {
      said += bytes.toString();
      if (started || !said.includes('ACK')) return;
      started = true;
      setTimeout(() => child.kill('SIGKILL'), after);
    });
    child.on('exit', () => resolve(said));
  });
}

test(
  'a store whose process is killed while it commits loses nothing it acknowledged',
  () =>
    inFolder(async (folder) => {
      const file = `${folder}/.ratchet/workspace.ratchetdb`;
      const random = stream(1, 'kill');
      let acknowledged = 0;
      for (let kill = 0; kill < KILLS; kill++) {
        const said = await writeAndKill(file, random.int(150));
        const opened = /^OPEN (\d+) (.*)$/m.exec(said);
        expect(opened?.[2]).toBe('ok');
        expect(Number(opened?.[1])).toBeGreaterThanOrEqual(acknowledged);
        const acks = [...said.matchAll(/^ACK (\d+)$/gm)].map((match) => Number(match[1]));
        acknowledged = (acks.at(-1) ?? -1) + 1;
        expect(acknowledged).toBeGreaterThan(0);
      }
      const store = createStore(await openDatabase({ file, wasm }));
      expect((await store.verify()).problems).toEqual([]);
      const last = await store.experiences({ runId }, String(acknowledged - 1), 1);
      expect(last.items[0]?.solutionId).toBe(`s${acknowledged - 1}`);
      const keys = Array.from({ length: acknowledged }, (_, number) => sampleEffect(`k${number}`, solve).key);
      expect((await store.findEffects(runId, keys)).size).toBe(acknowledged);
      await store.close();
    }),
  // It is not about how long starting a process takes.
  600_000,
);
