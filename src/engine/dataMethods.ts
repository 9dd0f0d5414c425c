/** Owns which request on data files does what. Deliberately reads files of the workspace only, whoever asks. */
import { inspectData as inspect } from '../adapters/datasets/inspect.ts';
import { EngineError } from '../client/connection.ts';
import { editData, newLoopText } from '../core/loop/editData.ts';
import { DataError } from '../core/ports.ts';
import * as protocol from '../protocol/data.ts';
import { read, type Method } from './method.ts';

/** Each only reads, or computes a text that the client writes. */
export function dataMethods(workspace: string): readonly (readonly [string, Method])[] {
  return [
    read(protocol.inspectData, async ({ file, options }) => {
      try {
        return await inspect(file, options, workspace);
      } catch (error) {
        if (error instanceof DataError) throw new EngineError('invalid', error.message, { cause: error });
        throw error;
      }
    }),
    read(protocol.editData, async ({ text, data }) => editData(text, data)),
    read(protocol.newLoopOnData, async (loop) => newLoopText(loop)),
  ];
}
