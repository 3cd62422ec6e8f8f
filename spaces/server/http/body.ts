import type { IncomingMessage } from "node:http";

/** A request's whole body. Call `release` when none of it is needed any more, so that the memory can be reused. */
export type Body = { bytes: Buffer; release: () => void };

const SMALLEST = 64 * 1024;
const LARGEST = 4 * 1024 * 1024;
const KEPT_PER_SIZE = 4;
/** Tensors after the JSON of a request must begin at a multiple of their element size, which is at most eight bytes. */
const ALIGNMENT = 8;

/**
 * Reusable memory for bodies, in powers of two: for a large body, fresh pages cost more than copying its bytes. At most
 * four buffers of each size from 64 KB to 4 MB are kept. Larger bodies get memory of their own.
 */
export function bodyMemory(): (length: number) => { memory: Buffer; release: () => void } {
  const kept = new Map<number, Buffer[]>();
  return (length) => {
    let size = SMALLEST;
    while (size < length) size *= 2;
    if (size > LARGEST) return { memory: Buffer.allocUnsafeSlow(length), release: () => {} };
    const same = kept.get(size) ?? [];
    kept.set(size, same);
    const memory = same.pop() ?? Buffer.allocUnsafeSlow(size);
    let given = true;
    return {
      memory,
      release() {
        if (given && same.length < KEPT_PER_SIZE) same.push(memory);
        given = false;
      },
    };
  };
}

/**
 * Frees a chunk that was copied. If the garbage collector had to do it, receiving a large body would take twice as
 * long.
 */
function free(chunk: Buffer): void {
  // Only a chunk that owns its buffer; small chunks share one.
  if (chunk.buffer instanceof ArrayBuffer && chunk.byteLength === chunk.buffer.byteLength) chunk.buffer.transfer(0);
}

/**
 * Reads a body whose length is known.
 *
 * @param aligned offset in the body that has to be at a multiple of eight in memory.
 * @param onWhole called once when all bytes have arrived; never if the client disconnects first.
 */
export function readBody(
  request: IncomingMessage,
  length: number,
  aligned: number,
  take: ReturnType<typeof bodyMemory>,
  onWhole: (body: Body) => void,
): void {
  let body: Body | null = null;
  let at = 0;
  request.on("data", (chunk: Buffer) => {
    // A body that came in one piece, and is aligned or only parsed, need not be copied.
    if (at === 0 && chunk.length === length && (aligned === 0 || (chunk.byteOffset + aligned) % ALIGNMENT === 0))
      body = { bytes: chunk, release: () => {} };
    else {
      if (body === null) {
        const from = (ALIGNMENT - (aligned % ALIGNMENT)) % ALIGNMENT;
        const { memory, release } = take(from + length);
        body = { bytes: memory.subarray(from, from + length), release };
      }
      // Node's parser makes sure that the body is not longer than declared.
      body.bytes.set(chunk, at);
    }
    at += chunk.length;
    if (body.bytes !== chunk) free(chunk);
  });
  request.on("end", () => {
    if (body !== null && at === length) onWhole(body);
  });
}
