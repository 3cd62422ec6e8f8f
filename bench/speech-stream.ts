import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, cpus, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { WebSocket } from "ws";
import { quantileOfSorted } from "../eval/stats/quantile.ts";
import { samplesOf } from "../tests/models/core/wave-samples.ts";
import { moonshineRepository, recordings, speech } from "../tests/spaces/server/moonshine-repository.ts";
import { freePort } from "./serving/processes.ts";

/**
 * npm run bench:speech-stream
 *
 * How far the words of a speech stream are behind somebody who speaks: Moonshine, one speaker, sound sent as fast as it is
 * spoken, in frames of 20 ms. Behind: seconds of sound that were sent when a text came, minus the second to which that
 * text heard. Writes bench/results/speech-stream.md. Needs ../shared/data.
 */
const root = join(import.meta.dirname, "..");
const rate = 16_000;
const frame = 320;

type Event = { type: string; end?: number; text?: string; committed?: string; segment?: number };

const folder = mkdtempSync(join(tmpdir(), "sluice-speech-stream-"));
const port = await freePort();
const url = `http://127.0.0.1:${port}`;
const server = spawn(
  process.execPath,
  [
    "cli.ts",
    "serve",
    moonshineRepository(folder),
    "--host",
    "127.0.0.1",
    "--port",
    String(port),
    "--log-level",
    "error",
  ],
  { cwd: root, stdio: "ignore" },
);
try {
  for (const end = Date.now() + 60_000; Date.now() < end; await sleep(100))
    if (
      await fetch(`${url}/readyz`).then(
        ({ ok }) => ok,
        () => false,
      )
    )
      break;
  const behind = { partial: [] as number[], final: [] as number[] };
  let [revised, seconds] = [0, 0];
  const started = loadavg()[0]!;
  for (const file of recordings) {
    const samples = samplesOf(join(speech, file));
    seconds += samples.length / rate;
    const socket = new WebSocket(`${url.replace("http", "ws")}/models/moonshine/stream?rate=${rate}&format=f32le`);
    const ended = Promise.withResolvers<void>();
    const committed = new Map<number, string>();
    let beganAt = 0;
    socket.on("message", (data: Buffer) => {
      const event = JSON.parse(data.toString("utf8")) as Event;
      const said = Math.min((performance.now() - beganAt) / 1000, samples.length / rate);
      if (event.type === "partial") {
        behind.partial.push((said - event.end!) * 1000);
        // A word that was committed must still be there.
        if (!`${event.committed!} `.startsWith(`${committed.get(event.segment!) ?? ""} `.trimStart())) revised += 1;
        committed.set(event.segment!, event.committed!);
      }
      if (event.type === "final") behind.final.push((said - event.end!) * 1000);
      if (event.type === "result") ended.resolve();
    });
    await new Promise((resolve) => socket.once("open", resolve));
    beganAt = performance.now();
    for (let at = 0; at < samples.length; at += frame) {
      socket.send(Buffer.from(samples.slice(at, at + frame).buffer));
      const due = beganAt + ((at + frame) / rate) * 1000 - performance.now();
      if (due > 0) await sleep(due);
    }
    socket.send('{"type":"end"}');
    await ended.promise;
    socket.close();
  }
  const row = (name: string, values: number[]) => {
    const sorted = Float64Array.from(values).toSorted();
    const at = (p: number) => quantileOfSorted(sorted, p).toFixed(0);
    return `| ${name} | ${values.length} | ${at(0.5)} | ${at(0.95)} | ${at(1)} |`;
  };
  const page = `# How far a speech stream is behind the speaker

Command: \`npm run bench:speech-stream\`. ${new Date().toISOString().slice(0, 10)}, ${availableParallelism()} cores of ${cpus()[0]?.model}, load ${started.toFixed(1)} at the start.

Moonshine tiny (int8), ${recordings.length} recordings of ${seconds.toFixed(0)} s, one speaker, sent as fast as they are spoken in frames of 20 ms.
Behind: what was said when a text came, minus what that text heard. A final text waits for the pause that ends its segment
(550 ms of silence), so it cannot be less behind than that, but at the end of a recording.

| ms behind | texts | median | p95 | most |
| --- | --- | --- | --- | --- |
${row("partial", behind.partial)}
${row("final", behind.final)}

Goal: partial words at most 700 ms behind. Committed words that a later partial lacked: ${revised}.
`;
  writeFileSync(join(root, "bench/results/speech-stream.md"), page);
  process.stdout.write(page);
} finally {
  server.kill("SIGKILL");
  rmSync(folder, { recursive: true, force: true });
}
