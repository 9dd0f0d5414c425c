/**
 * Owns the server the throughput of providers is measured against: chat completions after a delay drawn around `--ms`,
 * nothing else. Prints its address, lives until its standard input ends. Usage: node modelsServer.ts --ms 200 --spread 40
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: { ms: { type: 'string', default: '200' }, spread: { type: 'string', default: '40' } },
});
const ms = Number(values.ms);
const spread = Number(values.spread);

const body = JSON.stringify({
  id: 'chatcmpl-bench',
  object: 'chat.completion',
  created: 1,
  model: 'bench-1',
  choices: [
    {
      index: 0,
      message: { role: 'assistant', content: 'The sum is 1234. '.repeat(12), refusal: null },
      finish_reason: 'stop',
    },
  ],
  usage: { prompt_tokens: 120, completion_tokens: 60, total_tokens: 180 },
});

/** The same delays in every run, whoever asks (Weyl sequence: evenly spread). */
let drawn = 0;
const delay = (): number => {
  drawn = (drawn + 0.618_033_988_749_895) % 1;
  return ms - spread + 2 * spread * drawn;
};

const server = createServer((request, response) => {
  request.resume();
  request.on('end', () => {
    setTimeout(() => {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': body.length });
      response.end(body);
    }, delay());
  });
});
server.keepAliveTimeout = 60_000;
server.listen({ port: 0, host: '127.0.0.1', backlog: 1024 }, () => {
  process.stdout.write(`http://127.0.0.1:${(server.address() as AddressInfo).port}/v1\n`);
});
process.stdin.resume().on('end', () => process.exit(0));
