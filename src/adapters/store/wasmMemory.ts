/** Owns a view on a wasm instance's memory that stays right when the memory grows. Deliberately knows no layout. */
import type { WasmMemory } from './webAssembly.ts';

export interface MemoryView {
  /** Must be called before anything is read. */
  attach(memory: WasmMemory): void;
  bytes(): Uint8Array<ArrayBuffer>;
  view(): DataView;
  /** The zero-terminated UTF-8 text at an address. */
  text(pointer: number): string;
}

export function createMemoryView(): MemoryView {
  let memory: WasmMemory | null = null;
  let bytes = new Uint8Array(0);
  let view = new DataView(bytes.buffer);
  const refresh = (): void => {
    if (memory === null || bytes.buffer === memory.buffer) return;
    bytes = new Uint8Array(memory.buffer);
    view = new DataView(memory.buffer);
  };
  return {
    attach: (of) => {
      memory = of;
    },
    bytes: () => {
      refresh();
      return bytes;
    },
    view: () => {
      refresh();
      return view;
    },
    text: (pointer) => {
      refresh();
      return Buffer.from(bytes.buffer, pointer, bytes.indexOf(0, pointer) - pointer).toString();
    },
  };
}
