/**
 * Reads the server-sent events of a streamed answer: the part of the HTML standard's event stream that the server uses.
 * @param {ReadableStream<Uint8Array>} body
 * @param {(event: string, data: string) => void} take
 */
export async function readEvents(body, take) {
  const reader = body.pipeThrough(/** @type {any} */ (new TextDecoderStream())).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const blocks = (rest + value).split("\n\n");
    rest = blocks.pop() ?? "";
    for (const block of blocks) {
      const lines = block.split("\n");
      const field = (/** @type {string} */ name) =>
        lines
          .filter((line) => line.startsWith(`${name}: `))
          .map((line) => line.slice(name.length + 2))
          .join("\n");
      take(field("event") || "message", field("data"));
    }
  }
}
