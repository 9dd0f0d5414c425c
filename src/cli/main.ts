/** Owns the entry of the command line: arguments in, exit code out. Everything it does is in the commands. */
import { version } from '../engine/version.ts';
import { workspaceServices } from '../engine/workspaceServices.ts';
import { help, parseCommand } from './arguments.ts';
import { checkCommand } from './checkCommand.ts';
import { exitCodes, type ExitCode } from './exitCodes.ts';
import { runCommand } from './runCommand.ts';
import { createTerminal } from './terminal.ts';

const terminal = createTerminal(process.stdout, process.stderr);

function onInterrupt(handler: () => void): () => void {
  const signals = ['SIGINT', 'SIGTERM'] as const;
  for (const signal of signals) process.on(signal, handler);
  return () => {
    for (const signal of signals) process.off(signal, handler);
  };
}

async function main(args: readonly string[]): Promise<ExitCode> {
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
    case 'run':
      return runCommand(command, {
        terminal,
        version,
        services: workspaceServices,
        onInterrupt,
        abort: (code) => process.exit(code),
      });
  }
}

try {
  const code = await main(process.argv.slice(2));
  // Standard output may be a pipe that is still being read; workers would keep the process otherwise.
  await new Promise<void>((resolve) => process.stdout.write('', () => resolve()));
  process.exit(code);
} catch (error) {
  terminal.progress('');
  terminal.say(
    `Ratchet failed unexpectedly: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
  );
  process.exit(exitCodes.engine);
}
