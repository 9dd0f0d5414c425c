#!/usr/bin/env node
/** Owns the entry of the command line. Everything it does is in commandLine.ts. */
import { version } from '../engine/version.ts';
import { workspaceServices } from '../engine/workspaceServices.ts';
import { runCommandLine } from './commandLine.ts';

await runCommandLine(process.argv.slice(2), version, workspaceServices);
