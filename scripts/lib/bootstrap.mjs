// Owns the first step of every command: from a bare checkout and any Node >= 20 to the locked packages and the
// project's own Node. Uses only what Node brings along, because nothing is installed yet when it runs. It does not
// install the editor or a browser: that is editor.ts and browser.ts, which run under the project's Node.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, realpathSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..', '..');
const projectNode = path.join(
  root,
  'node_modules',
  'node',
  'bin',
  process.platform === 'win32' ? 'node.exe' : 'node',
);

/**
 * Makes sure the calling script runs under the project's Node with the locked packages in place.
 * Resolves to true when it already does; otherwise installs what is missing, runs the script again there, takes over
 * its exit code and resolves to false.
 */
export async function underProjectNode(script) {
  const major = Number(process.versions.node.split('.')[0]);
  if (major < 20) stop(`Ratchet needs Node 20 or newer to set itself up; this is ${process.versions.node}.`);
  if (!packagesMatchLock()) installPackages();
  if (realpathSync(process.execPath) === realpathSync(projectNode)) return true;
  const again = spawn(projectNode, [script, ...process.argv.slice(2)], { stdio: 'inherit' });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => again.kill(signal));
  process.exitCode = await new Promise((resolve) => {
    again.on('error', (error) => stop(`The project's Node could not be started: ${error.message}`));
    again.on('close', (code) => resolve(code ?? 1));
  });
  return false;
}

/** True when every locked package is installed in the locked version, by npm's own record of what it installed. */
function packagesMatchLock() {
  const record = path.join(root, 'node_modules', '.package-lock.json');
  if (!existsSync(record) || !existsSync(projectNode)) return false;
  const locked = JSON.parse(readFileSync(path.join(root, 'package-lock.json'), 'utf8')).packages;
  const installed = JSON.parse(readFileSync(record, 'utf8')).packages;
  const wanted = Object.entries(locked).filter(([folder]) => folder !== '');
  const differs = ([folder, { version, optional, devOptional }]) =>
    installed[folder] === undefined ? !(optional || devOptional) : installed[folder].version !== version;
  return !wanted.some(differs);
}

/**
 * Not `npm ci`: that refuses a lock without the packages of other platforms, which is what a registry that does not
 * have them leaves. What was installed is compared with the lock afterwards, so the result is the same.
 */
function installPackages() {
  process.stderr.write('Installing packages (npm install), a minute or two the first time.\n');
  const npm = process.env.npm_execpath;
  const [command, first] = npm?.endsWith('npm-cli.js') ? [process.execPath, [npm]] : ['npm', []];
  // Standard output belongs to the command's own result, so npm's goes to standard error.
  const flags = ['--no-save', '--include=dev', '--no-audit', '--no-fund', '--loglevel', 'notice'];
  const done = spawnSync(command, [...first, 'install', ...flags], {
    cwd: root,
    stdio: ['ignore', 2, 2],
    shell: process.platform === 'win32' && command === 'npm',
  });
  if (done.error)
    stop(`npm is needed to install the packages and could not be started: ${done.error.message}`);
  if (done.status !== 0) stop('npm could not install the packages; its own words are above.');
  if (!existsSync(projectNode)) {
    stop(
      "npm did not run the install script of the package 'node'; remove node_modules and run: npm install --no-save --foreground-scripts",
    );
  }
  if (!packagesMatchLock())
    stop('npm left packages that are not the locked ones; remove node_modules and try again.');
}

function stop(sentence) {
  process.stderr.write(`${sentence}\n`);
  process.exit(1);
}
