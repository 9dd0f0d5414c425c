/**
 * Owns the one sql.js instance of this thread, made over the file layer from a wasm whose hash is known.
 * Deliberately knows no schema.
 */
import { createHash } from 'node:crypto';
import initSqlJs from 'sql.js';
import { StoreError } from '../../core/ports.ts';
import { type Connection, createConnection } from './connection.ts';
import { createFileLayer, type FileLayer } from './fileLayer.ts';
import type { HostFiles } from './hostFiles.ts';
import { IMPORT_MODULE, SQLJS_VERSION, WASM_SHA256 } from './sqljsImports.ts';
import { wasmApi, type WasmMemory } from './webAssembly.ts';

export interface Sqlite {
  /** Opens or creates a database on a real file. Reads nothing yet: the first statement does. */
  connect(path: string, files: HostFiles): Connection;
}

function checkWasm(wasm: Uint8Array<ArrayBuffer>): void {
  const found = createHash('sha256').update(wasm).digest('hex');
  if (found !== WASM_SHA256)
    throw new StoreError(
      `The database engine is not the one this version was made for (sql.js ${SQLJS_VERSION}): install Ratchet again.`,
      'UNKNOWN_WASM',
      { cause: `sha256 ${found}, expected ${WASM_SHA256}` },
    );
}

async function instantiate(
  wasm: Uint8Array<ArrayBuffer>,
): Promise<{ sql: initSqlJs.SqlJs; layer: FileLayer }> {
  const layer = createFileLayer();
  const module = await wasmApi.compile(wasm);
  const sql = await new Promise<initSqlJs.SqlJs>((resolve, reject) => {
    initSqlJs({
      instantiateWasm(imports, receive) {
        // sql.js would leave a failure here as an unhandled rejection.
        try {
          const own = imports[IMPORT_MODULE];
          if (own === undefined) throw new Error(`no import module ${IMPORT_MODULE}`);
          const instance = new wasmApi.Instance(module, { ...imports, [IMPORT_MODULE]: layer.imports(own) });
          const memory = Object.values(instance.exports).find(
            (item): item is WasmMemory => item instanceof wasmApi.Memory,
          );
          if (memory === undefined) throw new Error('no exported memory');
          layer.attach(memory);
          receive(instance, module);
        } catch (error) {
          reject(
            new StoreError('The database engine could not be started.', 'UNKNOWN_WASM', { cause: error }),
          );
        }
        return {};
      },
    }).then(resolve, reject);
  });
  return { sql, layer };
}

let loaded: Promise<Sqlite> | null = null;

/**
 * The sql.js of this thread, made from `wasm` (dist/sql-wasm.wasm of the pinned version) on the first call.
 * Throws StoreError for any other wasm. sql.js keeps one instance per thread, so there is one layer, too.
 */
export async function loadSqlite(wasm: Uint8Array<ArrayBuffer>): Promise<Sqlite> {
  checkWasm(wasm);
  loaded ??= instantiate(wasm).then(({ sql, layer }) => ({
    connect: (path, files) => createConnection(sql, layer.mounts, path, files),
  }));
  return loaded;
}
