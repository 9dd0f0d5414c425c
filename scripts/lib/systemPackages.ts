// Owns what comes from the operating system's packages: installing it where that is possible without a question,
// and saying in one sentence what is missing where it is not.
import { run, onPath } from './children.ts';
import { say, SetupError } from './say.ts';

/** Something the system must bring: the Debian packages that bring it, and how to tell that it is there. */
export type SystemNeed = { readonly packages: readonly string[]; readonly present: () => boolean };

/** Installs the needs that are absent with apt-get; throws a SetupError naming them where it may or can not. */
export async function ensureSystemPackages(purpose: string, needs: readonly SystemNeed[]): Promise<void> {
  const missing = needs.filter((need) => !need.present()).flatMap((need) => need.packages);
  if (missing.length === 0) return;
  const sentence =
    `To ${purpose}, these system packages (names as in Debian) are missing: ${missing.join(', ')}; ` +
    'install them and run this again.';
  const asRoot = await rootPrefix();
  if (onPath('apt-get') === undefined || asRoot === undefined) throw new SetupError(sentence);
  say(`Installing system packages: ${missing.join(', ')}.`);
  const aptGet = (...args: readonly string[]): Promise<number> => {
    const [command = 'apt-get', ...rest] = [...asRoot, 'apt-get', '-q', '-y', ...args];
    return run(command, rest, { env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } });
  };
  // The list of packages may be years old or absent; a failed refresh shows in the installation itself.
  await aptGet('update');
  const code = await aptGet('install', '--no-install-recommends', ...missing);
  if (code !== 0 || needs.some((need) => !need.present())) throw new SetupError(sentence);
}

/** What to put before a command to run it as root, or undefined when that needs a password. */
async function rootPrefix(): Promise<readonly string[] | undefined> {
  if (process.getuid?.() === 0) return [];
  const sudo = onPath('sudo');
  if (sudo === undefined) return undefined;
  return (await run(sudo, ['-n', 'true'], { stdio: 'ignore' })) === 0 ? [sudo, '-n'] : undefined;
}
