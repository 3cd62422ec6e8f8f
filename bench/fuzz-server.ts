// node scripts/with-node24.mjs bench/fuzz-server.ts [COUNT] [SEED]
//
// Sends 100,000 malformed requests, one in ten of them raw bytes. Exits with 0 when the server survives, gives no 500
// and no stack trace, and holds no more descriptors than before.
import fc from "fast-check";
import { readdirSync, readFileSync } from "node:fs";
import { askRaw, brokenBytes, malformedRequest, oddities } from "../tests/spaces/server/malformed.ts";
import { serve } from "./serving/processes.ts";

const count = Number(process.argv[2] ?? 100_000);
const seed = Number(process.argv[3] ?? Date.now() % 2 ** 31);
const LANES = 16;
const server = await serve(["models/births", "models/mood"], ["--request-timeout-ms", "5000"]);
const { port } = new URL(server.url);
const descriptors = () => readdirSync(`/proc/${server.pid}/fd`).length;
const rss = () =>
  Math.round(Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${server.pid}/status`, "utf8"))?.[1] ?? 0) / 1024);
const before = { descriptors: descriptors(), rssMb: rss() };
const problems: string[] = [];
let asked = 0;
const started = performance.now();

/** Each lane draws from its own generators, so that a seed repeats a run. */
async function lane(index: number): Promise<void> {
  const share = Math.ceil(count / LANES);
  const chunk = 500;
  for (let from = 0; from < share && problems.length < 20; from += chunk) {
    const size = Math.min(chunk, share - from);
    const requests = fc.sample(malformedRequest(["births", "mood"]), {
      numRuns: size,
      seed: seed + 1000 * index + from,
    });
    const bytes = fc.sample(brokenBytes(), { numRuns: Math.ceil(size / 10), seed: seed + 1000 * index + from });
    for (const [i, request] of requests.entries()) {
      if (i % 10 === 9) {
        const answer = await askRaw(Number(port), bytes[(i - 9) / 10]!);
        if (/^HTTP\/1\.1 500|node_modules/.test(answer)) problems.push(`raw bytes: ${answer.slice(0, 200)}`);
      } else {
        const problem = await oddities(server.url, request);
        if (problem !== null) problems.push(problem);
      }
      if (++asked % 10_000 === 0) process.stderr.write(`${asked}\n`);
    }
  }
}

await Promise.all(Array.from({ length: LANES }, (_, index) => lane(index)));
await new Promise((done) => {
  setTimeout(done, 3000);
});
const alive = await fetch(`${server.url}/livez`).then(
  ({ status }) => status === 200,
  () => false,
);
const inFlight = alive
  ? Number(/^http_requests_in_flight (\d+)/m.exec(await (await fetch(`${server.url}/metrics`)).text())?.[1]) - 1
  : null;
// Closed first, because the client's idle connections would look like leaks of the server.
await (globalThis as unknown as Record<symbol, { close(): Promise<void> }>)[
  Symbol.for("undici.globalDispatcher.1")
]!.close();
await new Promise((done) => {
  setTimeout(done, 500);
});
const after = { descriptors: descriptors(), rssMb: rss() };
const leaked = after.descriptors - before.descriptors;
process.stdout.write(
  `${JSON.stringify({ asked, seed, seconds: Math.round((performance.now() - started) / 1000), alive, inFlight, before, after, leakedDescriptors: Math.max(0, leaked), problems }, null, 2)}\n`,
);
await server.stop();
process.exit(alive && problems.length === 0 && leaked <= 0 && inFlight === 0 ? 0 : 1);
