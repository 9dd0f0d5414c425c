/**
 * Owns the figures of how fast providers are asked: 2,000 calls to a local server of 200 +- 40 ms on the other core, turn
 * about in one run: undici bare, the openai client with p-queue, ours, and ours through the ledger onto a real file, both
 * with the engine's own flags for Node; and promptfoo at 512 where `--promptfoo FOLDER` says in which folder it is installed,
 * else its figure is the one published with the goals, and marked so.
 * Efficiency is the ideal wall time (calls x mean delay / in flight) by the real one. Prints JSON and keeps it in results/.
 * Usage: node test/bench/modelsThroughput.ts [--inFlight 32,128,512] [--turns 3] [--calls 2000] [--patient true] [--promptfoo FOLDER]
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { loadavg } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { engineFlags } from '../../src/client/startEngine.ts';
import { bundleBench } from './bundled.ts';
import { measurePromptfoo } from './promptfoo.ts';
import { writeResult } from './results.ts';

const { values } = parseArgs({
  options: {
    inFlight: { type: 'string', default: '32,128,512' },
    turns: { type: 'string', default: '3' },
    calls: { type: 'string', default: '2000' },
    patient: { type: 'string', default: 'true' },
    keep: { type: 'string', default: 'true' },
    promptfoo: { type: 'string' },
  },
});
const calls = Number(values.calls);
const turns = Number(values.turns);
const contenders = ['undici', 'openai', 'ours', 'oursDurable'] as const;
type Contender = (typeof contenders)[number];

interface Measured {
  readonly wallMs: number;
  readonly cpuMs: number;
  readonly megabytes: number;
}

/** One core for the clients, the other for the server, where the system can say so. */
const pinned = spawnSync('taskset', ['-V']).status === 0;
const onCore = (core: number, ...rest: readonly string[]): [string, string[]] => {
  const command = [process.execPath, ...rest];
  const whole = pinned ? ['taskset', '-c', String(core), ...command] : command;
  return [whole[0] ?? '', whole.slice(1)];
};

const here = (file: string): string => fileURLToPath(new URL(file, import.meta.url));

const bundled = await bundleBench('modelsClient');

async function startServer(ms: number, spread: number): Promise<{ address: string; child: ChildProcess }> {
  const [file, rest] = onCore(
    1,
    here('./modelsServer.ts'),
    ...['--ms', String(ms), '--spread', String(spread)],
  );
  const child = spawn(file, rest, { stdio: ['pipe', 'pipe', 'inherit'] });
  const address = await new Promise<string>((resolve, reject) => {
    child.stdout.once('data', (line: Buffer) => resolve(line.toString().trim()));
    child.once('exit', () => reject(new Error('The bench server did not start.')));
  });
  return { address, child };
}

function measure(contender: Contender, address: string, inFlight: number, count: number): Measured {
  const flags = contender === 'ours' || contender === 'oursDurable' ? engineFlags : [];
  const [file, rest] = onCore(
    0,
    ...flags,
    bundled.script,
    ...['--contender', contender, '--address', address],
    ...['--calls', String(count), '--inFlight', String(inFlight)],
  );
  const { stdout, status, stderr } = spawnSync(file, rest, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${contender} failed: ${stderr.slice(-2_000)}`);
  return JSON.parse(stdout) as Measured;
}

const round = (value: number, digits: number): number => Number(value.toFixed(digits));

/** The turn in the middle by wall time: other work on the machine hits single turns. */
function summary(measured: readonly Measured[], inFlight: number, count: number, ms: number) {
  const sorted = [...measured].sort((a, b) => a.wallMs - b.wallMs);
  const middle = sorted[Math.floor(sorted.length / 2)];
  if (middle === undefined) throw new Error('Nothing was measured.');
  const cpu = [...measured].sort((a, b) => a.cpuMs - b.cpuMs)[Math.floor(measured.length / 2)] ?? middle;
  return {
    callsPerSecond: round((count / middle.wallMs) * 1000, 0),
    efficiency: round((count * ms) / inFlight / middle.wallMs, 3),
    cpuMsPerCall: round(cpu.cpuMs / count, 3),
    megabytes: round(Math.max(...measured.map(({ megabytes }) => megabytes)), 0),
    turns: measured.map(({ wallMs }) => round((count / wallMs) * 1000, 0)),
  };
}

type Summary = ReturnType<typeof summary>;

async function compare(
  inFlight: number,
  count: number,
  ms: number,
  spread: number,
  who: readonly Contender[],
  times = turns,
) {
  const { address, child } = await startServer(ms, spread);
  const measured = new Map<Contender, Measured[]>(who.map((contender) => [contender, []]));
  for (let turn = 0; turn < times; turn++)
    for (const contender of who) measured.get(contender)?.push(measure(contender, address, inFlight, count));
  child.stdin?.end();
  return Object.fromEntries(
    [...measured].map(([contender, each]) => [contender, summary(each, inFlight, count, ms)]),
  ) as Record<Contender, Summary>;
}

/** At 32 in flight a turn takes long and differs little: half the calls keep the whole bench under four minutes. */
const callsAt = (inFlight: number): number => (inFlight <= 32 ? Math.ceil(calls / 2) : calls);

const figures: Record<string, Record<Contender, Summary>> = {};
const loadBefore = loadavg()[0] ?? 0;
for (const inFlight of values.inFlight.split(',').map(Number)) {
  figures[String(inFlight)] = await compare(inFlight, callsAt(inFlight), 200, 40, contenders);
  process.stderr.write(`${inFlight} in flight: ${JSON.stringify(figures[String(inFlight)])}\n`);
}
const patient =
  values.patient === 'true'
    ? await compare(512, 4096, 2_000, 0, ['openai', 'oursDurable'], Math.min(turns, 2))
    : null;

/** promptfoo with --no-cache, 512 in flight; where it is not installed, 0.123 as published with the goals. */
async function promptfooAt512() {
  if (values.promptfoo === undefined)
    return { version: '0.123', callsPerSecondAt512: 148, measuredHere: false };
  const { address, child } = await startServer(200, 40);
  const onClients = (...rest: readonly string[]) => onCore(0, ...rest);
  const { version, callsPerSecond, ...measured } = measurePromptfoo(
    values.promptfoo,
    address,
    512,
    calls,
    onClients,
  );
  child.stdin?.end();
  return { version, callsPerSecondAt512: callsPerSecond, ...measured, measuredHere: true };
}
const promptfoo = await promptfooAt512();
const goals = Object.entries(figures).map(([inFlight, { openai, oursDurable }]) => ({
  inFlight: Number(inFlight),
  notSlowerThanClient: oursDurable.callsPerSecond >= openai.callsPerSecond,
  timesClient: round(oursDurable.callsPerSecond / openai.callsPerSecond, 2),
  cpuMsBeyondClient: round(oursDurable.cpuMsPerCall - openai.cpuMsPerCall, 3),
  cpuWithinHalfMillisecond: oursDurable.cpuMsPerCall - openai.cpuMsPerCall <= 0.5,
  under200Megabytes: oursDurable.megabytes < 200,
}));
const at512 = figures['512'];
const result = {
  what: `${calls} calls (half of them at 32 in flight), server 200 +- 40 ms in its own process; middle of ${turns} turns; load of the machine before: ${round(loadBefore, 1)}`,
  pinned,
  inFlight: figures,
  patient:
    patient === null
      ? null
      : {
          what: '4,096 calls, server 2 s, 512 in flight',
          within3Percent: patient.oursDurable.efficiency >= 0.97,
          ...patient,
        },
  goals,
  ...(at512 === undefined
    ? {}
    : {
        promptfoo,
        timesPromptfooAt512: round(at512.oursDurable.callsPerSecond / promptfoo.callsPerSecondAt512, 2),
        shareOfUndiciAt512: round(at512.oursDurable.callsPerSecond / at512.undici.callsPerSecond, 2),
        clientAloneTimesPromptfooAt512: round(at512.openai.callsPerSecond / promptfoo.callsPerSecondAt512, 2),
      }),
};
if (values.keep === 'true') writeResult('modelsThroughput', result);
else process.stdout.write(`${JSON.stringify(result, null, 2)}\n`);
rmSync(bundled.folder, { recursive: true, force: true });
const met = goals.every(
  (goal) => goal.notSlowerThanClient && goal.cpuWithinHalfMillisecond && goal.under200Megabytes,
);
const patientEnough = patient === null || patient.oursDurable.efficiency >= 0.97;
const fastEnough = (result.timesPromptfooAt512 ?? 4) >= 4;
if (!met || !patientEnough || !fastEnough) process.exitCode = 1;
