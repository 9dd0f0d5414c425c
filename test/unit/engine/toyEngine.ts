/**
 * The engine process as it ships, with the real store, but with the toy learner for a model.
 * TOY_DELAY_MS is how long it takes over each batch of answers; TOY_REFUSES makes the provider refuse everything.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { runEngineProcess } from '../../../src/engine/process.ts';
import { toyServices } from './toyServices.ts';

const startDelay = Number(process.env.TOY_START_DELAY_MS ?? 0);
if (startDelay > 0) await sleep(startDelay);
await runEngineProcess(process.argv.slice(2), process.env.TOY_VERSION ?? '0.0.0-test', toyServices);
