/** Owns the recipes that are killed: a sample loop on Pocket, cut down to seconds, and one on an endpoint that counts its calls. */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

const sample = new URL('../../media/sample/hint-free-star.loop.yaml', import.meta.url);

/** The sample's first loop with fewer tasks and that many rounds; everything else as it is shipped. */
export function pocketRecipe(rounds: number): string {
  const text = readFileSync(sample, 'utf8')
    .replace(/count: 192/, 'count: 48')
    .replace(/count: 500/g, 'count: 150')
    .replace(/^rounds: \d+/m, `rounds: ${rounds}`);
  if (!text.includes('count: 48') || !text.includes(`rounds: ${rounds}`))
    throw new Error('The sample loop has changed: its sizes were not found.');
  return text;
}

export const endpointRecipe = (rounds: number): string => `
ratchet: 1
name: counted
objective: { ability: addition, metric: exact }
model: { provider: openai, model: counted }
instruction: "add"
data:
  train: { generate: addition, digits: [2], count: 60 }
  dev: { generate: addition, digits: [2], count: 40 }
  test: { generate: addition, digits: [2], count: 40 }
rounds: ${rounds}
seed: 1
steps:
  - revise: { over: instruction, n: 3, mode: edit, edits: [add, swap], phrases: [think, show each step, be brief] }
  - update: { slot: instruction }
  - evaluate: { suite: train, temperature: 1, maxTokens: 20 }
  - select: { over: candidates, policy: top }
  - evaluate: { suite: dev, temperature: 1, maxTokens: 20 }
`;

/** US dollars for a million tokens, and the tokens of every answer: what the endpoint bills. */
const PRICE = { input: 3, output: 15 };
const USED = { input: 11, output: 3 };
/** Billionths of a dollar. */
export const billOf = (calls: number): number =>
  Math.round(calls * (USED.input * PRICE.input + USED.output * PRICE.output) * 1000);

export interface CountingEndpoint {
  readonly environment: NodeJS.ProcessEnv;
  /** Bodies in the order they arrived; each is billed as it arrives, whether or not its answer is ever read. */
  readonly asked: readonly string[];
  close(): Promise<void>;
}

/** An endpoint that answers any chat after `ms` milliseconds, the same to the same question. */
export async function countingEndpoint(ms: number): Promise<CountingEndpoint> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (bytes: Buffer) => (body += bytes.toString()));
    request.on('end', () => {
      asked.push(body);
      setTimeout(() => {
        response.writeHead(200, { 'content-type': 'application/json' });
        response.end(
          JSON.stringify({
            id: 'chatcmpl-1',
            object: 'chat.completion',
            created: 1,
            model: 'counted',
            choices: [
              {
                index: 0,
                finish_reason: 'stop',
                message: { role: 'assistant', content: String(body.length), refusal: null },
              },
            ],
            usage: {
              prompt_tokens: USED.input,
              completion_tokens: USED.output,
              total_tokens: USED.input + USED.output,
            },
          }),
        );
      }, ms);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    environment: {
      RATCHET_PROVIDERS: JSON.stringify({
        openai: { baseURL: `http://127.0.0.1:${port}/v1`, prices: { counted: PRICE } },
      }),
      OPENAI_API_KEY: 'none',
    },
    asked,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
