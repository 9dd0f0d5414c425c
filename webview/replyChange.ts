/** Owns what is new in a reply beside the one before it. Deliberately simple: one changed stretch, not a full diff. */

export interface Stretch {
  readonly text: string;
  readonly isNew: boolean;
}

/**
 * The reply cut into at most three stretches: the start it shares with the earlier reply, what is new, and the end it
 * shares. Cuts fall between code points. Without an earlier reply nothing is new.
 */
export function replyStretches(before: string | null, after: string): readonly Stretch[] {
  if (before === null || before === after) return after === '' ? [] : [{ text: after, isNew: false }];
  const old = Array.from(before);
  const now = Array.from(after);
  const shortest = Math.min(old.length, now.length);
  let head = 0;
  while (head < shortest && old[head] === now[head]) head += 1;
  let tail = 0;
  while (tail < shortest - head && old[old.length - 1 - tail] === now[now.length - 1 - tail]) tail += 1;
  return [
    { text: now.slice(0, head).join(''), isNew: false },
    { text: now.slice(head, now.length - tail).join(''), isNew: true },
    { text: now.slice(now.length - tail).join(''), isNew: false },
  ].filter((stretch) => stretch.text !== '');
}
