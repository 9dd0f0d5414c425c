/**
 * Owns the making of a device: a memory of a fixed size with the WebAssembly kernels on it, or the plain twin where
 * an engine has no SIMD. Deliberately does not read files: the caller brings the kernels' bytes.
 */
import type { Device, Kernels } from './kernels.ts';
import { plainAttention } from './plainAttention.ts';
import { plainMatrix } from './plainMatrix.ts';
import { plainOutput } from './plainOutput.ts';
import { plainRows } from './plainRows.ts';

const pageBytes = 65_536;

/** The part of the WebAssembly interface used here; the Node type library has none of it. */
interface WebAssemblyApi {
  readonly Memory: new (options: { readonly initial: number }) => { readonly buffer: ArrayBuffer };
  readonly Module: new (bytes: Uint8Array<ArrayBuffer>) => object;
  readonly Instance: new (
    module: object,
    imports: { readonly env: { readonly memory: object } },
  ) => { readonly exports: unknown };
  readonly validate: (bytes: Uint8Array<ArrayBuffer>) => boolean;
}
const { WebAssembly } = globalThis as unknown as { readonly WebAssembly: WebAssemblyApi };

/** A device of at least `bytes` bytes on the WebAssembly kernels. Throws WebAssembly.CompileError without SIMD. */
export function wasmDevice(wasm: Uint8Array<ArrayBuffer>, bytes: number): Device {
  const memory = new WebAssembly.Memory({ initial: Math.ceil(bytes / pageBytes) });
  const instance = new WebAssembly.Instance(new WebAssembly.Module(wasm), { env: { memory } });
  return {
    floats: new Float32Array(memory.buffer),
    ints: new Int32Array(memory.buffer),
    kernels: instance.exports as Kernels,
  };
}

/** The same on plain TypeScript: equal bits, several times slower. */
export function plainDevice(bytes: number): Device {
  const buffer = new ArrayBuffer(Math.ceil(bytes / pageBytes) * pageBytes);
  const floats = new Float32Array(buffer);
  const ints = new Int32Array(buffer);
  return {
    floats,
    ints,
    kernels: {
      ...plainMatrix(floats),
      ...plainRows(floats, ints),
      ...plainAttention(floats, ints),
      ...plainOutput(floats, ints),
    },
  };
}

/** The fastest device this engine can run. */
export function bestDevice(wasm: Uint8Array<ArrayBuffer>, bytes: number): Device {
  return WebAssembly.validate(wasm) ? wasmDevice(wasm, bytes) : plainDevice(bytes);
}
