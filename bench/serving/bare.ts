/**
 * bare.ts PORT MODEL.onnx INPUT
 *
 * The minimal servers that the server is compared with.
 * - /: a JSON echo, which parses the body and sends it back.
 * - /sink: receives the body's bytes and sends a short answer.
 * - /run/WIDTH: receives the body's float32 rows into memory of their own, runs them and sends the outputs' bytes;
 *   nothing is checked.
 */
import { createServer } from "node:http";
import { InferenceSession, Tensor } from "onnxruntime-node";

const [port, model, input] = process.argv.slice(2) as [string, string, string];
const session = await InferenceSession.create(model, { intraOpNumThreads: 1, interOpNumThreads: 1 });

createServer((request, response) => {
  const answer = (body: string | Buffer, type: string) => {
    response.writeHead(200, { "content-type": type, "content-length": Buffer.byteLength(body) }).end(body);
  };
  if (request.url === "/sink") {
    request.on("data", () => {});
    request.on("end", () => answer("received", "text/plain"));
    return;
  }
  const width = Number(/^\/run\/(\d+)$/.exec(request.url!)?.[1] ?? 0);
  if (width > 0) {
    const bytes = new Uint8Array(Number(request.headers["content-length"]));
    let at = 0;
    request.on("data", (chunk: Buffer) => {
      bytes.set(chunk, at);
      at += chunk.length;
    });
    request.on("end", async () => {
      const values = new Float32Array(bytes.buffer);
      const outputs = await session.run({ [input]: new Tensor("float32", values, [values.length / width, width]) });
      const { buffer, byteOffset, byteLength } = Object.values(outputs)[0]!.data as Float32Array;
      answer(Buffer.from(buffer, byteOffset, byteLength), "application/octet-stream");
    });
    return;
  }
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk));
  request.on("end", () =>
    answer(JSON.stringify(JSON.parse(Buffer.concat(chunks).toString("utf8"))), "application/json"),
  );
}).listen(Number(port), "127.0.0.1");
