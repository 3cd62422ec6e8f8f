import type { KeyEvents } from "./store.ts";

/**
 * The value of a key in Redis: its events one after the other, ascending in time, each a float64 (milliseconds since
 * 1970) and one float32 per column, little-endian. So APPEND adds an event.
 */
export const eventBytes = (columns: number) => 8 + 4 * columns;

/** @returns null when the bytes are no such value: another width, times that do not ascend, a number that is infinite. */
export function decodeEvents(bytes: Uint8Array, columns: number): KeyEvents | null {
  const size = eventBytes(columns);
  if (bytes.length === 0 || bytes.length % size !== 0) return null;
  const count = bytes.length / size;
  const times = new Float64Array(count);
  const values = new Float32Array(count * columns);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let event = 0; event < count; event++) {
    const time = view.getFloat64(event * size, true);
    if (!Number.isFinite(time) || (event > 0 && time < times[event - 1]!)) return null;
    times[event] = time;
    for (let i = 0; i < columns; i++) {
      const value = view.getFloat32(event * size + 8 + 4 * i, true);
      if (Math.abs(value) === Infinity) return null;
      values[event * columns + i] = value;
    }
  }
  return { times, values, from: 0, to: count };
}

export function encodeEvents({ times, values, from, to }: KeyEvents, columns: number): Buffer<ArrayBuffer> {
  const size = eventBytes(columns);
  const bytes = Buffer.alloc((to - from) * size);
  for (let event = from; event < to; event++) {
    const at = (event - from) * size;
    bytes.writeDoubleLE(times[event]!, at);
    for (let i = 0; i < columns; i++) bytes.writeFloatLE(values[event * columns + i]!, at + 8 + 4 * i);
  }
  return bytes;
}
