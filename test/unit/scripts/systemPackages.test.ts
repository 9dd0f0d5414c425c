// Owns the tests of what is said where a system package is missing and cannot be installed from here.
import { afterEach, describe, expect, it, vi } from 'vitest';
import { SetupError } from '../../../scripts/lib/say.ts';
import { ensureSystemPackages } from '../../../scripts/lib/systemPackages.ts';

describe('ensureSystemPackages', () => {
  afterEach(() => vi.unstubAllEnvs());

  it('does nothing when all is there', async () => {
    await expect(
      ensureSystemPackages('test', [{ packages: ['absent'], present: () => true }]),
    ).resolves.toBeUndefined();
  });

  it('names only what is missing, in one sentence, where there is no apt-get', async () => {
    vi.stubEnv('PATH', '/nowhere');
    const needs = [
      { packages: ['there'], present: () => true },
      { packages: ['libkrb5-dev'], present: () => false },
      { packages: ['chromium'], present: () => false },
    ];
    const failure = await ensureSystemPackages('test', needs).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(SetupError);
    expect((failure as SetupError).message).toContain('are missing: libkrb5-dev, chromium;');
    expect((failure as SetupError).message).not.toContain('\n');
  });
});
