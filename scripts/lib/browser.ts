// Owns finding the browser the editor tests drive.
import { accessSync, constants } from 'node:fs';
import { onPath } from './children.ts';
import { SetupError } from './say.ts';
import { ensureSystemPackages } from './systemPackages.ts';

const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

/** The path of a Chromium: RATCHET_BROWSER, else one on the PATH, else Debian's, installed where that may be done. */
export async function ensureBrowser(): Promise<string> {
  const chosen = process.env.RATCHET_BROWSER;
  if (chosen !== undefined) {
    try {
      accessSync(chosen, constants.X_OK);
      return chosen;
    } catch {
      throw new SetupError(`RATCHET_BROWSER names ${chosen}, which is not a program that can be run.`);
    }
  }
  await ensureSystemPackages('drive a browser', [
    { packages: ['chromium'], present: () => find() !== undefined },
  ]);
  return find() ?? 'chromium';
}

function find(): string | undefined {
  return names.map(onPath).find((file) => file !== undefined);
}
