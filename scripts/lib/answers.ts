// Owns waiting for a server to answer.
import { setTimeout as sleep } from 'node:timers/promises';

/** Resolves to true once `address` answers with success, to false when it has not within `limitMs`. */
export async function answers(address: string, limitMs: number): Promise<boolean> {
  const end = Date.now() + limitMs;
  while (Date.now() < end) {
    const response = await fetch(address).catch(() => undefined);
    await response?.body?.cancel();
    if (response?.ok === true) return true;
    await sleep(100);
  }
  return false;
}
