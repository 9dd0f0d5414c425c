/**
 * Owns `ratchet test-connection`: tries a provider with the settings and the key of the environment, and says what answers or
 * exactly what is wrong. Deliberately needs no workspace and starts no engine.
 */
import type { Log } from '../core/ports.ts';
import { noClients } from '../engine/clients.ts';
import { createProviders } from '../engine/providers.ts';
import { exitCodes, type ExitCode } from './exitCodes.ts';
import type { Terminal } from './terminal.ts';

/** Models named without being asked for, at most. */
const mostNamed = 20;

/** `name` is `provider/model`, or a provider alone, which only looks and lists. */
export async function testConnectionCommand(name: string, terminal: Terminal): Promise<ExitCode> {
  const log: Log = {
    info: (message) => terminal.say(message),
    warn: (message) => terminal.say(message),
    error: (message) => terminal.say(message),
  };
  const [provider = '', ...rest] = name.split('/');
  const model = rest.join('/');
  const providers = createProviders({ clients: noClients, environment: process.env, log });
  const { ok, message, models } = await providers.test(provider, model);
  terminal.print(message);
  if (ok && model === '' && models.length > 0) {
    for (const each of models.slice(0, mostNamed)) terminal.print(`  ${provider}/${each}`);
    if (models.length > mostNamed) terminal.print(`  and ${models.length - mostNamed} more`);
  }
  return ok ? exitCodes.done : exitCodes.provider;
}
