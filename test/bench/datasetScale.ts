/**
 * Owns the figures of reading a data file of 1 GB: how long the event loop is held up, how much memory it takes, how fast it
 * is. The file is made in a temporary folder and removed. Each reading is in a process of its own, so that none sees another's
 * memory. Usage: node test/bench/datasetScale.ts [MEGABYTES]
 */
import { spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, statSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import { inspectData } from '../../src/adapters/datasets/inspect.ts';
import { taskFiles } from '../../src/adapters/datasets/taskFiles.ts';
import { machine, writeResult } from './results.ts';

interface Figures {
  readonly what: string;
  readonly megabytes: number;
  readonly rows: number;
  readonly tasks: number;
  readonly rejected: number;
  readonly seconds: number;
  readonly megabytesASecond: number;
  readonly delayP99Ms: number;
  readonly delayMaxMs: number;
  readonly peakRssMB: number;
  readonly rssAtStartMB: number;
}

const [, , first, file, kind] = process.argv;
if (first === 'read') await read(file ?? '', kind === 'sample' ? 'sample' : 'inspect');
else measure(Number(first ?? 1_000));

/** Rows of about 1 to 3 KB with a bad one in each ten thousand and one equal to the row before in each thousand. */
function makeFile(target: string, megabytes: number, format: 'jsonl' | 'json' | 'csv'): void {
  const words =
    'the quick brown fox reads a long story about seven hens and 42 eggs that nobody counted twice '.repeat(
      30,
    );
  const handle = openSync(target, 'w');
  writeSync(handle, format === 'csv' ? 'question,answer\n' : format === 'json' ? '[\n' : '');
  let written = 0;
  for (let index = 0; written < megabytes * 1e6; ) {
    const lines: string[] = [];
    for (let batch = 0; batch < 1_000; batch++, index++) {
      const row = index % 1_000 === 999 ? index - 1 : index;
      const question = `${row}: "${words.slice(0, 1_000 + ((row * 7_919) % 2_000))}"`;
      const answer = `It is\n#### ${row}`;
      const bad = index % 10_000 === 5_000;
      if (format === 'csv') lines.push(bad ? '"ragged"' : `"${question.replaceAll('"', '""')}","${answer}"`);
      else lines.push(bad ? '{"question": nonsense}' : JSON.stringify({ question, answer }));
    }
    const text =
      format === 'json' ? `${index > 1_000 ? ',\n' : ''}${lines.join(',\n')}` : `${lines.join('\n')}\n`;
    written += writeSync(handle, text);
  }
  if (format === 'json') writeSync(handle, '\n]\n');
  closeSync(handle);
}

async function read(source: string, how: 'inspect' | 'sample'): Promise<void> {
  const folder = path.dirname(source);
  const name = path.basename(source);
  const rssAtStart = process.memoryUsage.rss();
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  const began = performance.now();
  let peak = 0;
  const timer = setInterval(() => {
    peak = Math.max(peak, process.memoryUsage.rss());
  }, 20);
  const counts = { rows: 0, tasks: 0, rejected: 0 };
  if (how === 'inspect') {
    const found = await inspectData(name, {}, folder);
    Object.assign(counts, { rows: found.rows, tasks: found.tasks, rejected: found.rejected });
  } else {
    const { tasks, skipped } = await taskFiles(folder).load(name, 'train', { sample: 10_000 });
    const rejected = skipped.reduce((sum, { count = 1 }) => sum + count, 0);
    Object.assign(counts, { tasks: tasks.length, rejected });
  }
  const seconds = (performance.now() - began) / 1_000;
  clearInterval(timer);
  delay.disable();
  const megabytes = statSync(source).size / 1e6;
  const figures: Figures = {
    what: `${how} ${path.extname(name).slice(1)}`,
    megabytes: Math.round(megabytes),
    ...counts,
    seconds: Math.round(seconds * 10) / 10,
    megabytesASecond: Math.round(megabytes / seconds),
    delayP99Ms: Math.round(delay.percentile(99) / 1e5) / 10,
    delayMaxMs: Math.round(delay.max / 1e5) / 10,
    peakRssMB: Math.round(peak / 1e6),
    rssAtStartMB: Math.round(rssAtStart / 1e6),
  };
  process.stdout.write(JSON.stringify(figures));
}

function measure(megabytes: number): void {
  const folder = mkdtempSync(path.join(tmpdir(), 'ratchet-bench-data-'));
  const script = fileURLToPath(import.meta.url);
  const readings: Figures[] = [];
  try {
    for (const format of ['jsonl', 'json', 'csv'] as const) {
      const target = path.join(folder, `large.${format}`);
      makeFile(target, megabytes, format);
      for (const how of format === 'jsonl' ? ['inspect', 'sample'] : ['inspect']) {
        const { stdout, stderr, status } = spawnSync(process.execPath, [script, 'read', target, how], {
          encoding: 'utf8',
        });
        if (status !== 0) throw new Error(`Reading ${format} failed: ${stderr}`);
        readings.push(JSON.parse(stdout) as Figures);
      }
      rmSync(target);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  const goals = {
    'event loop delay p99 under 100 ms': readings.every(({ delayP99Ms }) => delayP99Ms < 100),
    'memory grows by less than 200 MB': readings.every(
      ({ peakRssMB, rssAtStartMB }) => peakRssMB - rssAtStartMB < 200,
    ),
  };
  if (megabytes >= 1_000) writeResult('datasetScale', { goals, readings });
  else process.stdout.write(`${JSON.stringify({ machine: machine(), goals, readings }, null, 2)}\n`);
  if (!Object.values(goals).every(Boolean)) process.exitCode = 1;
}
