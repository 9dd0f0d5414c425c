/**
 * Owns one live search: what is typed is asked a moment later, never two questions at once, and an answer to something
 * typed before is dropped. Fetches on until a page is full, because the work of one answer is bounded. Deliberately shows
 * nothing itself.
 */
import type { ExperienceHit, ExperienceSearchPage } from '../../core/model/views.ts';

export interface SearchState {
  readonly text: string;
  readonly items: readonly ExperienceHit[];
  /** There may be further ones. */
  readonly hasMore: boolean;
  readonly busy: boolean;
  /** One sentence for each condition that does not count. */
  readonly problems: readonly string[];
  /** Why there is no answer, in one sentence; null where there is one. */
  readonly trouble: string | null;
}

export interface SearchFeed {
  type(text: string): void;
  /** Fetches a further page. */
  more(): void;
  close(): void;
}

export interface SearchFeedOptions {
  readonly ask: (text: string, after: string | null, limit: number) => Promise<ExperienceSearchPage>;
  readonly show: (state: SearchState) => void;
  readonly pageSize: number;
  /** Milliseconds nothing is typed before it is asked. */
  readonly waitMs: number;
}

export function createSearchFeed({ ask, show, pageSize, waitMs }: SearchFeedOptions): SearchFeed {
  let text = '';
  let typed = 0;
  let answered = -1;
  let items: readonly ExperienceHit[] = [];
  let next: string | null = null;
  let problems: readonly string[] = [];
  let wanted = pageSize;
  let asking = false;
  let closed = false;
  let timer: ReturnType<typeof setTimeout> | null = null;

  const tell = (busy: boolean, trouble: string | null = null): void =>
    show({ text, items, hasMore: next !== null, busy, problems, trouble });

  /** Asks once for what is wanted now; false when there is nothing more to ask. */
  async function step(): Promise<boolean> {
    const mine = typed;
    const isFirst = answered !== mine;
    const page = await ask(text, isFirst ? null : next, wanted - (isFirst ? 0 : items.length));
    if (closed) return false;
    // What was typed since is asked when its moment is over, or now if it is.
    if (mine !== typed) return timer === null;
    answered = mine;
    items = isFirst ? page.items : [...items, ...page.items];
    ({ next, problems } = page);
    const goesOn = next !== null && items.length < wanted;
    tell(goesOn);
    return goesOn;
  }

  async function pump(): Promise<void> {
    if (asking) return;
    asking = true;
    const mine = typed;
    try {
      while (!closed && (await step()));
    } catch (error) {
      if (closed) return;
      items = [];
      next = null;
      problems = [];
      if (mine === typed) tell(false, error instanceof Error ? error.message : String(error));
    } finally {
      asking = false;
    }
    if (!closed && answered !== typed && mine !== typed && timer === null) void pump();
  }

  function later(ms: number): void {
    if (timer !== null) clearTimeout(timer);
    timer = setTimeout(() => {
      timer = null;
      void pump();
    }, ms);
  }

  return {
    type(value) {
      text = value;
      typed += 1;
      wanted = pageSize;
      tell(true);
      later(answered === -1 ? 0 : waitMs);
    },
    more() {
      if (next === null || answered !== typed) return;
      wanted = items.length + pageSize;
      tell(true);
      void pump();
    },
    close() {
      closed = true;
      if (timer !== null) clearTimeout(timer);
    },
  };
}
