/** Owns where bench figures go: test/bench/results/NAME.json, with the machine they were measured on. */
import { mkdirSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import { fileURLToPath } from 'node:url';

export function machine(): Record<string, string | number> {
  const cpus = os.cpus();
  return {
    processor: cpus[0]?.model ?? 'unknown',
    cores: cpus.length,
    memoryGiB: Math.round(os.totalmem() / 2 ** 30),
    platform: `${os.platform()} ${os.arch()}`,
    node: process.version,
  };
}

/** Prints the figures and keeps them beside the bench. */
export function writeResult(name: string, figures: object): void {
  const folder = fileURLToPath(new URL('./results/', import.meta.url));
  mkdirSync(folder, { recursive: true });
  const text = `${JSON.stringify({ machine: machine(), ...figures }, null, 2)}\n`;
  writeFileSync(`${folder}${name}.json`, text);
  process.stdout.write(text);
}
