/** Four connections that send the bytes of stdin again and again; prints requests per second. */
import { readFileSync } from "node:fs";
import { Agent, request } from "node:http";

const [url, headerLength, seconds] = process.argv.slice(2) as [string, string, string];
const bytes = readFileSync(0);
const agent = new Agent({ keepAlive: true, maxSockets: 4 });
const once = () => new Promise<void>((resolve, reject) => {
  const sent = request(url, { method: "POST", agent, headers: { "content-type": "application/octet-stream", "inference-header-content-length": headerLength, "content-length": bytes.length } }, (response) => {
    response.resume();
    response.on("end", () => (response.statusCode === 200 ? resolve() : reject(new Error(String(response.statusCode)))));
  });
  sent.on("error", reject);
  sent.end(bytes);
});
let done = 0;
const start = performance.now();
await Promise.all(Array.from({ length: 4 }, async () => {
  while (performance.now() - start < Number(seconds) * 1000) {
    await once();
    done++;
  }
}));
process.stdout.write(String((1000 * done) / (performance.now() - start)));
process.exit(0);
