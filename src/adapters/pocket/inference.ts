/**
 * Owns the forward pass for sampling: rows of tokens, each at a position of a stream with a cache of keys and values.
 * Prompts and single drawn tokens go through the same pass, so a prompt costs one call and streams may join and leave
 * at any call. Deliberately knows no requests and draws no random numbers.
 */
import { arena } from './arena.ts';
import type { Device } from './kernels/kernels.ts';
import { rotaryTable } from './numeric.ts';
import { layoutOf } from './shape.ts';
import type { Layout, Shape } from './shape.ts';
import { panels } from './weightPanels.ts';
import type { Panels } from './weightPanels.ts';

export interface Inference {
  readonly streams: number;
  /** Rows a call takes at most. */
  readonly rows: number;
  /** Takes these weights, `layout.count` floats; what streams hold is stale afterwards. */
  readonly load: (weights: Float32Array) => void;
  /** Queues one row for the next call; rows of one stream in order of position. Returns its row number. */
  readonly push: (stream: number, position: number, token: number) => number;
  /** Asks for a token to be drawn after a queued row: temperature 0 is greedy, uniform in [0, 1). */
  readonly want: (row: number, temperature: number, uniform: number) => void;
  /** Runs the queued rows; returns the drawn tokens in the order they were asked for, valid until the next call. */
  readonly run: () => Int32Array;
  /** Copies the first `length` positions of a stream to another. */
  readonly copy: (from: number, to: number, length: number) => void;
}

/** Byte addresses of one inference's buffers. */
interface Buffers {
  readonly weights: number;
  readonly table: number;
  readonly tokens: number;
  readonly streams: number;
  readonly positions: number;
  readonly wantedRows: Int32Array;
  readonly wantedStreams: number;
  readonly wantedPositions: number;
  readonly inverse: number;
  readonly uniform: number;
  readonly drawn: number;
  readonly x: number;
  readonly h: number;
  readonly qkv: number;
  readonly scale: number;
  readonly mixed: number;
  readonly feed: number;
  readonly logits: number;
  readonly scratch: number;
  readonly cache: readonly number[];
  readonly previous: readonly number[];
}

function plan(shape: Shape, layout: Layout, streams: number, rows: number) {
  const memory = arena();
  const { width, context, vocabulary, shift, layers } = shape;
  const wanted = streams;
  const every = <Item>(make: () => Item) => Array.from({ length: layers }, make);
  const buffers: Buffers = {
    weights: memory.take(layout.count),
    table: memory.take(context * 32),
    tokens: memory.take(rows),
    streams: memory.take(rows),
    positions: memory.take(rows),
    wantedRows: new Int32Array(wanted),
    wantedStreams: memory.take(wanted),
    wantedPositions: memory.take(wanted),
    inverse: memory.take(wanted),
    uniform: memory.take(wanted),
    drawn: memory.take(wanted),
    x: memory.take(rows * width),
    h: memory.take(rows * width),
    qkv: memory.take(rows * 3 * width),
    scale: memory.take(rows),
    mixed: memory.take(rows * width),
    feed: memory.take(rows * 4 * width),
    logits: memory.take(wanted * vocabulary),
    scratch: memory.take(context + 4),
    // 3 positions beyond the last stream: attention reads keys four at a time.
    cache: every(() => memory.take((streams * context + 3) * 2 * width)),
    previous: every(() => memory.take(streams * shift)),
  };
  return { buffers, forward: panels(layout, memory, false), bytes: memory.bytes() };
}

/**
 * `makeDevice` is given the bytes the device must hold; `drawable` is how many tokens, from 0, may be drawn.
 * Every row's numbers are independent of the other rows in a call.
 */
export function openInference(
  makeDevice: (bytes: number) => Device,
  shape: Shape,
  options: { readonly streams: number; readonly rows: number; readonly drawable: number },
): Inference {
  const layout = layoutOf(shape);
  const { buffers: b, forward, bytes } = plan(shape, layout, options.streams, options.rows);
  const device = makeDevice(bytes);
  const { floats, ints, kernels } = device;
  floats.set(rotaryTable(shape.context), b.table >> 2);
  const { width, context, shift } = shape;
  let queued = 0;
  let wanted = 0;

  return {
    streams: options.streams,
    rows: options.rows,
    load: (weights) => {
      floats.set(weights, b.weights >> 2);
      forward.pack(kernels, b.weights);
    },
    push: (stream, position, token) => {
      ints[(b.tokens >> 2) + queued] = token;
      ints[(b.streams >> 2) + queued] = stream;
      ints[(b.positions >> 2) + queued] = position;
      return queued++;
    },
    want: (row, temperature, uniform) => {
      b.wantedRows[wanted] = row;
      floats[(b.inverse >> 2) + wanted] = temperature > 0 ? Math.min(1 / temperature, 1e6) : 0;
      floats[(b.uniform >> 2) + wanted] = uniform;
      wanted++;
    },
    run: () => {
      if (queued > 0) forwardRows(device, shape, layout, b, forward, queued, wanted, options.drawable);
      const drawn = ints.subarray(b.drawn >> 2, (b.drawn >> 2) + wanted);
      queued = 0;
      wanted = 0;
      return drawn;
    },
    copy: (from, to, length) => {
      for (const cache of b.cache) {
        const at = (cache >> 2) + from * context * 2 * width;
        floats.copyWithin((cache >> 2) + to * context * 2 * width, at, at + length * 2 * width);
      }
      for (const previous of b.previous) {
        const at = (previous >> 2) + from * shift;
        floats.copyWithin((previous >> 2) + to * shift, at, at + shift);
      }
    },
  };
}

/** After the last layer's keys are stored only rows that want a token go on. */
function keepWanted({ floats, ints }: Device, { width }: Shape, b: Buffers, wanted: number): void {
  // A row may be wanted twice and rows only move down, unless the first is repeated: copy through `feed`.
  const moved = b.feed >> 2;
  for (let i = 0; i < wanted; i++) {
    const row = b.wantedRows[i] as number;
    ints[(b.wantedStreams >> 2) + i] = ints[(b.streams >> 2) + row] as number;
    ints[(b.wantedPositions >> 2) + i] = ints[(b.positions >> 2) + row] as number;
    const x = (b.x >> 2) + row * width;
    const qkv = (b.qkv >> 2) + row * 3 * width;
    floats.copyWithin(moved + i * 4 * width, x, x + width);
    floats.copyWithin(moved + i * 4 * width + width, qkv, qkv + 3 * width);
  }
  for (let i = 0; i < wanted; i++) {
    const from = moved + i * 4 * width;
    floats.copyWithin((b.x >> 2) + i * width, from, from + width);
    floats.copyWithin((b.qkv >> 2) + i * 3 * width, from + width, from + 4 * width);
  }
}

function forwardRows(
  device: Device,
  shape: Shape,
  layout: Layout,
  b: Buffers,
  forward: Panels,
  queued: number,
  wanted: number,
  drawable: number,
): void {
  const { kernels: k } = device;
  const { width: C, context: T, vocabulary: V, shift } = shape;
  const at = (matrix: { readonly at: number }) => b.weights + matrix.at * 4;
  k.embed(queued, C, b.tokens, at(layout.embedding), b.x);
  let n = queued;
  let [streams, positions] = [b.streams, b.positions];
  for (const [l, layer] of layout.layers.entries()) {
    const cache = b.cache[l] as number;
    k.normalize(n, C, b.x, at(layer.attentionGain), b.h, b.scale);
    k.shiftTokens(n, C, shift, streams, positions, b.h, b.previous[l] as number);
    k.multiply(n, 3 * C, C, b.h, C, forward.of(layer.queryKeyValue), b.qkv, 3 * C, 0);
    k.rotate(n, C, positions, b.table, b.qkv, 1);
    k.storeKeys(n, C, T, streams, positions, b.qkv, cache);
    if (l === layout.layers.length - 1) {
      keepWanted(device, shape, b, wanted);
      n = wanted;
      [streams, positions] = [b.wantedStreams, b.wantedPositions];
    }
    k.attendCache(n, C, T, streams, positions, b.qkv, cache, b.mixed, b.scratch);
    k.multiply(n, C, C, b.mixed, C, forward.of(layer.attentionOutput), b.x, C, 1);
    k.normalize(n, C, b.x, at(layer.feedGain), b.h, b.scale);
    k.multiply(n, 4 * C, C, b.h, C, forward.of(layer.feedIn), b.feed, 4 * C, 0);
    k.squaredRelu(n * 4 * C, b.feed, b.feed);
    k.multiply(n, C, 4 * C, b.feed, 4 * C, forward.of(layer.feedOut), b.x, C, 1);
  }
  k.normalize(n, C, b.x, at(layout.outputGain), b.h, b.scale);
  k.multiply(n, V, C, b.h, C, forward.of(layout.head), b.logits, V, 0);
  k.drawTokens(n, V, drawable, b.logits, b.inverse, b.uniform, b.drawn);
}
