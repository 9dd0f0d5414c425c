/** Owns the entry of the engine process. Everything it does is in process.ts, everything it runs on in workspaceServices.ts. */
import { runEngineProcess } from './process.ts';
import { version } from './version.ts';
import { workspaceServices } from './workspaceServices.ts';

await runEngineProcess(process.argv.slice(2), version, workspaceServices);
