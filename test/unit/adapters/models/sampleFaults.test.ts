/**
 * Owns the check of fault 41 of the list of 45, where several answers are asked for in one call: fewer come back, in any
 * order or twice; at three moments of a run of sixty calls for four answers each.
 */
import { describe, expect, test } from 'vitest';
import { completionBody, json, type Reply } from '../../../fakes/openaiServer.ts';
import { all, modelOf, request, serve } from './askEndpoint.ts';
import { CALLS, IN_FLIGHT, moments, promptOf } from './moments.ts';

const SAMPLES = 4;
const tasks = Array.from({ length: CALLS * SAMPLES }, (_, index) =>
  request(String(Math.floor(index / SAMPLES)), { seed: index + 1 }),
);
const choices = (indices: readonly number[], prompt: string): Reply =>
  json(
    200,
    completionBody('', 'stop', {
      choices: indices.map((index) => ({
        index,
        message: { content: `${prompt} #${index}` },
        finish_reason: 'stop',
      })),
    }),
  );

describe.each(moments)('at the %s call', (_moment, at) => {
  test.each([
    ['one of four comes', [2]],
    ['two of four come', [3, 0]],
    ['they come in another order', [3, 1, 0, 2]],
    ['one comes twice and one not at all', [1, 1, 0, 2]],
    ['one comes that was not asked for', [0, 1, 2, 7]],
  ])('41 %s', async (_name, indices) => {
    let together = 0;
    const server = await serve(async (response, seen) => {
      const prompt = promptOf(seen);
      if (seen.body['n'] === undefined) {
        await choices([0], `${prompt} alone`)(response, seen);
        return;
      }
      // The first sixteen are in flight together.
      if (Number(prompt) < IN_FLIGHT) {
        together += 1;
        while (together < IN_FLIGHT) await new Promise((resolve) => setTimeout(resolve, 2));
      }
      await choices(Number(prompt) === at ? indices : [0, 1, 2, 3], prompt)(response, seen);
    });
    const limits = { firstMs: 20_000, idleMs: 20_000, totalMs: 20_000 };
    const model = modelOf(server, { concurrency: IN_FLIGHT, samplesPerCall: SAMPLES, limits });
    const answers = await all(model, tasks);
    expect(answers.size).toBe(tasks.length);
    const came = new Set(indices.filter((index) => index < SAMPLES));
    for (let sample = 0; sample < SAMPLES; sample++) {
      const expected = came.has(sample) ? `${at} #${sample}` : `${at} alone #0`;
      expect(answers.get(at * SAMPLES + sample)).toMatchObject({ ok: true, text: expected });
    }
    const ofIt = server.seen.filter((seen) => promptOf(seen) === String(at));
    expect(ofIt).toHaveLength(1 + SAMPLES - came.size);
    expect(server.peak).toBe(IN_FLIGHT);
    // All others have their own answers, whether together or, once the endpoint was seen to give one, alone.
    for (const [index, answer] of answers)
      if (Math.floor(index / SAMPLES) !== at)
        expect(answer.ok ? answer.text.split(' ')[0] : '').toBe(String(Math.floor(index / SAMPLES)));
  });
});
