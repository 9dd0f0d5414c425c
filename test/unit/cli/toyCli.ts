/** The command line as it ships, on the toy learner. */
import { runCommandLine } from '../../../src/cli/commandLine.ts';
import { toyServices } from '../engine/toyServices.ts';

await runCommandLine(process.argv.slice(2), '0.0.0-test', toyServices);
