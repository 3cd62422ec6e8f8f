import type { IncomingMessage } from "node:http";

/** A request's whole body. `release` it when nothing of it is needed any more, so that the memory is used again. */
export type Body = { bytes: Buffer; release: () => void };

const SMALLEST = 64 * 1024;
const LARGEST = 4 * 1024 * 1024;
const KEPT_PER_SIZE = 4;
/** Tensors behind the JSON of a request must begin at a multiple of their element, eight bytes at most. */
const ALIGNMENT = 8;

/**
 * Memory for bodies, in powers of two, used again: fresh pages for every large body cost more than its bytes do.
 * At most four buffers of each size from 64 KB to 4 MB are kept; other bodies get memory of their own.
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
 * Frees a chunk that was copied. Left to the garbage collector, the chunks of a large body would double the time that it
 * takes to receive it.
 */
function free(chunk: Buffer): void {
  // Only a chunk with a buffer of its own; small ones share one.
  if (chunk.buffer instanceof ArrayBuffer && chunk.byteLength === chunk.buffer.byteLength) chunk.buffer.transfer(0);
}

/**
 * Reads a body of announced length.
 *
 * @param aligned place in the body that shall begin at a multiple of eight in memory.
 * @param onWhole called once, when all bytes are there; never when the client disconnects before.
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
    // Nothing is gained by a copy of what came in one piece and is only parsed.
    if (at === 0 && chunk.length === length && (aligned === 0 || (chunk.byteOffset + aligned) % ALIGNMENT === 0))
      body = { bytes: chunk, release: () => {} };
    else {
      if (body === null) {
        const from = (ALIGNMENT - (aligned % ALIGNMENT)) % ALIGNMENT;
        const { memory, release } = take(from + length);
        body = { bytes: memory.subarray(from, from + length), release };
      }
      // Node's parser holds the body to its announced length.
      body.bytes.set(chunk, at);
    }
    at += chunk.length;
    if (body.bytes !== chunk) free(chunk);
  });
  request.on("end", () => {
    if (body !== null && at === length) onWhole(body);
  });
}
