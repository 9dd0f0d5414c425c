/** The proof that an old Node is told what is wanted, in one sentence, instead of a syntax error. */
import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { shippedCli } from '../engine/toyBundles.ts';

const pretending = (version: string): string =>
  `data:text/javascript,Object.defineProperty(process,"versions",{value:{...process.versions,node:"${version}"}})`;

const versionSaid = (version: string) =>
  spawnSync(process.execPath, ['--import', pretending(version), shippedCli, '--version'], {
    encoding: 'utf8',
  });

test.each(['20.20.2', '22.14.0'])('Node %s is told which one is needed', (version) => {
  const { status, stdout, stderr } = versionSaid(version);
  expect(status).toBe(2);
  expect(stdout).toBe('');
  expect(stderr).toMatch(/^ratchet needs Node 22\.15 or newer; this is v[\d.]+\.\n$/u);
});

test('the oldest that will do is used', () => {
  expect(versionSaid('22.15.0')).toMatchObject({ status: 0, stderr: '' });
});
