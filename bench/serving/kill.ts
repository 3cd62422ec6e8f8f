import { Agent, request } from "node:http";
import { benchModels, mlpRow } from "./models.ts";
import { freePort, median, serve } from "./processes.ts";
import type { Figure, Options } from "./scenarios.ts";

const LANES = 64;
const body = JSON.stringify(mlpRow);

type Outcome = "answered" | "lost" | "refused" | "wrong";
type Round = { lost: number; wrong: number; answered: number; inFlight: number; backMs: number };

/**
 * SIGKILL under load, and a new process on the same port. A request is lost when it was sent and no complete answer
 * came. A request that found no server ("refused") was never accepted, and any client would send it again. Only
 * requests in flight at the kill may be lost, and none may be answered wrongly.
 */
export async function killAndRestart({ rounds, seconds }: Options): Promise<Figure[]> {
  const { mlp } = benchModels();
  const all: Round[] = [];
  for (let i = 0; i < rounds; i++) all.push(await oneRound(mlp, seconds));
  const lost = Math.max(...all.map((one) => one.lost - one.inFlight));
  const sum = (read: (one: Round) => number) => all.reduce((total, one) => total + read(one), 0);
  return [
    {
      what: `kill and restart under ${LANES} connections: lost beyond those in flight`,
      value: Math.max(0, lost),
      unit: "requests",
      goal: "≤ 0",
      met: lost <= 0,
      detail: {
        kills: rounds,
        "in flight at the kills": sum((one) => one.inFlight),
        lost: sum((one) => one.lost),
        answered: sum((one) => one.answered),
        "answered wrongly": sum((one) => one.wrong),
      },
    },
    {
      what: "kill → first answer of the new process",
      value: Math.round(median(all.map((one) => one.backMs))),
      unit: "ms",
      goal: "shown",
      met: null,
      detail: {},
    },
  ];
}

async function oneRound(model: string, seconds: number): Promise<Round> {
  const port = await freePort();
  let server = await serve([model], [], port);
  const right = (await (
    await fetch(`${server.url}/predict`, { method: "POST", headers: { "content-type": "application/json" }, body })
  ).json()) as { heads: object };
  const expected = JSON.stringify(right.heads);
  const agent = new Agent({ keepAlive: true, maxSockets: LANES });
  const counts: Record<Outcome, number> = { answered: 0, lost: 0, refused: 0, wrong: 0 };
  let inFlight = 0;
  let killedAt = 0;
  let backMs = 0;
  const stopped = new AbortController();
  const lane = async () => {
    while (!stopped.signal.aborted) {
      inFlight++;
      const outcome = await ask(port, agent, expected);
      inFlight--;
      counts[outcome]++;
      // Answers that were on their way at the kill may still arrive. Once a request was refused, nobody listened any
      // more, so the next answer comes from the new process.
      if (outcome === "answered" && counts.refused > 0 && backMs === 0) backMs = performance.now() - killedAt;
      if (outcome === "refused" || outcome === "lost")
        await new Promise((done) => {
          setTimeout(done, 5);
        });
    }
  };
  const lanes = Array.from({ length: LANES }, lane);
  await new Promise((done) => {
    setTimeout(done, (seconds * 1000) / 2);
  });
  const atKill = inFlight;
  killedAt = performance.now();
  process.kill(server.pid, "SIGKILL");
  server = await serve([model], [], port);
  await new Promise((done) => {
    setTimeout(done, (seconds * 1000) / 2);
  });
  stopped.abort();
  await Promise.all(lanes);
  agent.destroy();
  await server.stop();
  return { lost: counts.lost, wrong: counts.wrong, answered: counts.answered, inFlight: atKill, backMs };
}

function ask(port: number, agent: Agent, expected: string): Promise<Outcome> {
  return new Promise((resolve) => {
    const sent = request(
      {
        port,
        host: "127.0.0.1",
        path: "/predict",
        method: "POST",
        agent,
        timeout: 60_000,
        headers: { "content-type": "application/json", "content-length": Buffer.byteLength(body) },
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("error", () => resolve("lost"));
        response.on("end", () => {
          // Until its model is loaded, a new process accepts nothing and answers 503 with Retry-After.
          if (response.statusCode === 503) return resolve("refused");
          if (!response.complete) return resolve("lost");
          resolve(response.statusCode === 200 && Buffer.concat(chunks).includes(expected) ? "answered" : "wrong");
        });
      },
    );
    sent.on("timeout", () => sent.destroy());
    sent.on("error", (error: NodeJS.ErrnoException) => resolve(error.code === "ECONNREFUSED" ? "refused" : "lost"));
    sent.end(body);
  });
}
