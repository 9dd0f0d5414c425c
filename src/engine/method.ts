/**
 * Owns what a method of the engine is: a descriptor of the protocol bound to what handles it, its parameters guarded.
 * Deliberately knows no single method.
 */
import { EngineError } from '../client/connection.ts';
import type { RequestDescriptor } from '../protocol/engine.ts';

export interface Method {
  /** True when a client of another version may call it: it reads, or ends the engine. */
  readonly always: boolean;
  /** Rejects with EngineError('invalid') when the parameters do not pass the guard. */
  call(params: unknown): Promise<unknown>;
}

/** A request that only reads: a client of another version may make it, too. */
export function read<Params, Result>(
  descriptor: RequestDescriptor<Params, Result>,
  handle: (params: Params) => Promise<Result>,
): [string, Method] {
  return [descriptor.method, { always: true, call: guarded(descriptor, handle) }];
}

/** A request that changes something. */
export function change<Params, Result>(
  descriptor: RequestDescriptor<Params, Result>,
  handle: (params: Params) => Promise<Result>,
): [string, Method] {
  return [descriptor.method, { always: false, call: guarded(descriptor, handle) }];
}

function guarded<Params, Result>(
  descriptor: RequestDescriptor<Params, Result>,
  handle: (params: Params) => Promise<Result>,
): (params: unknown) => Promise<Result> {
  return async (params) => handle(checked(descriptor, params));
}

/** The parameters as the descriptor's guard lets them through. */
export function checked<Params, Result>(
  descriptor: RequestDescriptor<Params, Result>,
  params: unknown,
): Params {
  const parsed = descriptor.params.safeParse(params ?? {});
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const where = issue === undefined || issue.path.length === 0 ? '' : ` at ${issue.path.join('.')}`;
  throw new EngineError(
    'invalid',
    `The request ${descriptor.method} was not understood${where}: ${issue?.message ?? ''}`,
  );
}
