/** Owns the command line as a process: arguments in, exit code out. What it runs on is handed in. */
import type { MakeServices } from '../engine/services.ts';
import { help, parseCommand } from './arguments.ts';
import { checkCommand } from './checkCommand.ts';
import { dataCommand } from './dataCommand.ts';
import { exitCodes, type ExitCode } from './exitCodes.ts';
import { runCommand } from './runCommand.ts';
import { runsCommand } from './runsCommands.ts';
import { storeCommand } from './storeCommand.ts';
import { testConnectionCommand } from './testConnectionCommand.ts';
import { createTerminal, type Terminal } from './terminal.ts';

/** Ends the process with the command's exit code. */
export async function runCommandLine(
  args: readonly string[],
  version: string,
  services: MakeServices,
): Promise<never> {
  const terminal = createTerminal(process.stdout, process.stderr);
  // Whoever reads may stop reading ("| head"); that is no failure of the run.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
  let code: ExitCode;
  try {
    code = await perform(args, version, services, terminal);
  } catch (error) {
    terminal.progress('');
    const words = error instanceof Error ? (error.stack ?? error.message) : String(error);
    terminal.say(`Ratchet failed unexpectedly: ${words}`);
    code = exitCodes.engine;
  }
  // A pipe may still be being read; the workers would keep the process, so it is ended by hand.
  await new Promise<void>((resolve) => process.stdout.write('', () => resolve()));
  process.exit(code);
}

async function perform(
  args: readonly string[],
  version: string,
  services: MakeServices,
  terminal: Terminal,
): Promise<ExitCode> {
  const command = parseCommand(args);
  switch (command.name) {
    case 'help':
      terminal.print(help.trimEnd());
      return exitCodes.done;
    case 'version':
      terminal.print(version);
      return exitCodes.done;
    case 'wrong':
      terminal.say(`${command.message} "ratchet --help" says more.`);
      return exitCodes.badRecipe;
    case 'check':
      return checkCommand(command.file, terminal);
    case 'data':
      return dataCommand(command, terminal);
    case 'runs':
      return runsCommand(command, {
        terminal,
        version,
        services,
        onInterrupt,
        abort: (code) => process.exit(code),
      });
    case 'store':
      return storeCommand(command, { terminal, version, services });
    case 'test-connection':
      return testConnectionCommand(command.target, terminal);
    case 'run':
      return runCommand(command, {
        terminal,
        version,
        services,
        onInterrupt,
        abort: (code) => process.exit(code),
      });
  }
}

function onInterrupt(handler: () => void): () => void {
  const signals = ['SIGINT', 'SIGTERM'] as const;
  for (const signal of signals) process.on(signal, handler);
  return () => {
    for (const signal of signals) process.off(signal, handler);
  };
}
