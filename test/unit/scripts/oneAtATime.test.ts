// Owns the tests of taking turns: two never work at once, and a holder that died does not block the next.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { oneAtATime } from '../../../scripts/lib/oneAtATime.ts';

const name = () => `test ${String(process.pid)} ${String(performance.now())}`;

describe('oneAtATime', () => {
  it('lets the second wait for the first', async () => {
    const turn = name();
    const order: string[] = [];
    let waited = 0;
    const work = (label: string) => () =>
      new Promise<void>((resolve) => {
        order.push(`${label} begins`);
        setTimeout(() => {
          order.push(`${label} ends`);
          resolve();
        }, 100);
      });
    const waiting = () => {
      waited += 1;
    };
    const first = oneAtATime(turn, work('first'), waiting);
    await new Promise((resolve) => setTimeout(resolve, 30));
    await Promise.all([first, oneAtATime(turn, work('second'), waiting)]);
    expect(order).toEqual(['first begins', 'first ends', 'second begins', 'second ends']);
    expect(waited).toBe(1);
  });

  it('gives the turn back when the work fails', async () => {
    const turn = name();
    await expect(
      oneAtATime(
        turn,
        () => Promise.reject(new Error('no')),
        () => undefined,
      ),
    ).rejects.toThrow('no');
    await expect(
      oneAtATime(
        turn,
        () => Promise.resolve('yes'),
        () => undefined,
      ),
    ).resolves.toBe('yes');
  });

  it('takes the turn of a holder that was killed', async () => {
    const turn = name();
    const module = path.resolve(import.meta.dirname, '../../../scripts/lib/oneAtATime.ts');
    const code = `import { oneAtATime } from ${JSON.stringify(module)};
      const hold = setInterval(() => {}, 1000);
      await oneAtATime(${JSON.stringify(turn)}, () => new Promise(() => { console.log('held'); }), () => {});`;
    const holder = spawn(process.execPath, ['--input-type=module', '-e', code], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(holder.stdout, 'data');
    let waited = false;
    const next = oneAtATime(
      turn,
      () => Promise.resolve('mine'),
      () => {
        waited = true;
      },
    );
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(waited).toBe(true);
    holder.kill('SIGKILL');
    await expect(next).resolves.toBe('mine');
  });
});
