#!/usr/bin/env node
/**
 * Owns the entry of the command line: a Node that is too old is told in one sentence, before anything is loaded that an old
 * one does not have. Everything else is in commandLine.ts.
 */
const oldest = [22, 15] as const;
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);

if (major < oldest[0] || (major === oldest[0] && minor < oldest[1])) {
  process.stderr.write(`ratchet needs Node ${oldest.join('.')} or newer; this is ${process.version}.\n`);
  process.exitCode = 2;
} else {
  const [{ version }, { workspaceServices }, { runCommandLine }] = await Promise.all([
    import('../engine/version.ts'),
    import('../engine/workspaceServices.ts'),
    import('./commandLine.ts'),
  ]);
  await runCommandLine(process.argv.slice(2), version, workspaceServices);
}

export {};
