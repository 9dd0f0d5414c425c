/** Owns turning whatever went wrong into the one sentence and the kind a client is told. Details belong to the log. */
import { ErrorCodes, ResponseError } from 'vscode-jsonrpc/node';
import { EngineError } from '../client/connection.ts';
import { ChangedError, RecipeError } from '../core/loop/execute.ts';
import { DataError, ProviderError, StoreError } from '../core/ports.ts';

export function asEngineError(error: unknown): EngineError {
  if (error instanceof EngineError) return error;
  if (error instanceof StoreError) {
    const isDamage = error.code === 'DAMAGED' || error.code === 'FOREIGN';
    return new EngineError(isDamage ? 'damaged' : 'store', error.message, { cause: error });
  }
  if (error instanceof ProviderError) return new EngineError('provider', error.message, { cause: error });
  if (error instanceof ChangedError) return new EngineError('changed', error.message, { cause: error });
  if (error instanceof DataError || error instanceof RecipeError) {
    return new EngineError('invalid', error.message, { cause: error });
  }
  return new EngineError(
    'internal',
    'Something in Ratchet itself failed; .ratchet/engine.log has the details.',
    {
      cause: error,
    },
  );
}

/** The error as it goes over the wire: its kind lets the client act. */
export function asResponse(error: EngineError): ResponseError<{ readonly kind: EngineError['kind'] }> {
  const code = error.kind === 'invalid' ? ErrorCodes.InvalidParams : ErrorCodes.InternalError;
  return new ResponseError(code, error.message, { kind: error.kind });
}
