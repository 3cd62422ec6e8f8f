/** Smaller bodies are sent at once. */
const streamedFrom = 1_000_000;
const chunkBytes = 65_536;

/**
 * A request's body for fetch. A large one leaves in chunks, so that its progress can be seen.
 *
 * @param sent called for every chunk
 * @param progress called with the number of bytes that have left so far
 */
export function streamed(
  given: string | Uint8Array,
  sent: () => void,
  progress: (bytes: number) => void = () => {},
): { headers: Record<string, string>; init: RequestInit } {
  const size = typeof given === "string" ? Buffer.byteLength(given) : given.length;
  if (size < streamedFrom) return { headers: {}, init: { body: given as string } };
  const bytes = typeof given === "string" ? Buffer.from(given) : given;
  let at = 0;
  const body = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        sent();
        progress(Math.min(at, bytes.length));
        if (at >= bytes.length) return controller.close();
        controller.enqueue(bytes.subarray(at, at + chunkBytes));
        at += chunkBytes;
      },
    },
    { highWaterMark: 0 },
  );
  // The storage takes no body of unknown length.
  return { headers: { "content-length": String(size) }, init: { body, duplex: "half" } as RequestInit };
}
