/** Owns the types of the part of the WebAssembly interface the store uses; the Node type library has none of it. */

/** A wasm instance's memory. `buffer` is another object after the memory grew. */
export interface WasmMemory {
  readonly buffer: ArrayBuffer;
}

/** One module's imports: functions by name. */
export type WasmImports = Readonly<Record<string, unknown>>;

export interface WasmInstance {
  readonly exports: Readonly<Record<string, unknown>>;
}

interface WebAssemblyApi {
  readonly compile: (bytes: Uint8Array<ArrayBuffer>) => Promise<object>;
  readonly Instance: new (module: object, imports: Readonly<Record<string, WasmImports>>) => WasmInstance;
  readonly Memory: new (options: { readonly initial: number }) => WasmMemory;
}

export const wasmApi = (globalThis as unknown as { readonly WebAssembly: WebAssemblyApi }).WebAssembly;
