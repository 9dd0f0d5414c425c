/** Owns an engine in memory for the host's tests: answers by method name, notifies, and goes away when told. */
import type { EngineConnection } from '../../../src/client/connection.ts';
import type { NotificationDescriptor, RequestDescriptor } from '../../../src/protocol/engine.ts';

export type Answers = Readonly<Record<string, (params: never) => unknown>>;

export interface FakeEngine {
  readonly connection: EngineConnection;
  /** Methods asked for, in order. */
  readonly asked: string[];
  notify<Payload>(descriptor: NotificationDescriptor<Payload>, payload: Payload): void;
  die(): void;
}

export function fakeEngine(answers: Answers): FakeEngine {
  const handlers = new Map<string, Set<(payload: unknown) => void>>();
  const closed = new Set<() => void>();
  const asked: string[] = [];
  const connection: EngineConnection = {
    hello: { protocol: 1, version: '0.0.0', pid: 1, compatible: true },
    async request<Params, Result>({ method }: RequestDescriptor<Params, Result>, params: Params) {
      asked.push(method);
      const answer = answers[method];
      if (answer === undefined) throw new Error(`the fake engine has no answer to ${method}`);
      return (await answer(params as never)) as Result;
    },
    on({ method }, handler) {
      const set = handlers.get(method) ?? new Set();
      handlers.set(method, set);
      set.add(handler as (payload: unknown) => void);
      return () => set.delete(handler as (payload: unknown) => void);
    },
    onClosed(handler) {
      closed.add(handler);
      return () => closed.delete(handler);
    },
    close() {
      for (const handler of [...closed]) handler();
    },
  };
  return {
    connection,
    asked,
    notify: ({ method }, payload) => {
      for (const handler of handlers.get(method) ?? []) handler(payload);
    },
    die: () => connection.close(),
  };
}

/** Lets everything that waits for a promise go on. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
}
