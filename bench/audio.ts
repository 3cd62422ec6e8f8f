/**
 * What sound costs before a model sees it: CPU milliseconds per minute of sound, to samples of one channel at 16 kHz, and
 * of the segmenter per window.
 *
 *   node bench/audio.ts
 *
 * The files are made here with ffmpeg: a minute of two channels at 44.1 kHz (Opus: 48), tones that come and go under
 * noise. Voice activity is measured on tests/fixtures/silero_vad.onnx. One thread; the better of three rounds.
 */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { audioDecoder } from "../models/core/audio/decode.ts";
import { logMel } from "../models/core/audio/log-mel.ts";
import { resample } from "../models/core/audio/resample.ts";
import { segmentSettings } from "../models/core/manifest/segment.ts";
import { cut } from "../models/core/speech/cutter.ts";
import { openVoiceActivity } from "../models/core/speech/voice-activity.ts";
import { wav } from "../tests/models/core/audio/chirp.ts";

const seconds = 60;
const rounds = 3;

const minute = (rate: number, tone: number) =>
  Float32Array.from({ length: seconds * rate }, (_, i) => {
    const t = i / rate;
    const noise = ((i * 2_654_435_761) % 4_294_967_296) / 4_294_967_296 - 0.5;
    return 0.3 * Math.sin(2 * Math.PI * tone * t) * Math.max(0, Math.sin(2 * Math.PI * 0.4 * t)) + 0.02 * noise;
  });

const formats: readonly (readonly [name: string, options: readonly string[]])[] = [
  ["wav", []],
  ["flac", ["-c:a", "flac"]],
  ["mp3", ["-c:a", "libmp3lame", "-b:a", "128k"]],
  ["ogg", ["-c:a", "libvorbis", "-q:a", "4"]],
  ["opus", ["-c:a", "libopus", "-b:a", "64k"]],
  ["webm", ["-c:a", "libopus", "-b:a", "64k"]],
  ["m4a", ["-c:a", "aac", "-b:a", "128k"]],
];

/** Least CPU and wall time of a few rounds, in ms. A program's own CPU time is in neither. */
async function measured(work: () => unknown): Promise<{ cpuMs: number; wallMs: number }> {
  const best = { cpuMs: Infinity, wallMs: Infinity };
  for (let round = 0; round < rounds; round++) {
    const [cpu, wall] = [process.cpuUsage(), performance.now()];
    await work();
    const { user, system } = process.cpuUsage(cpu);
    best.cpuMs = Math.min(best.cpuMs, (user + system) / 1000);
    best.wallMs = Math.min(best.wallMs, performance.now() - wall);
  }
  return best;
}

const shown = ({ cpuMs, wallMs }: { cpuMs: number; wallMs: number }) =>
  `${cpuMs.toFixed(0).padStart(8)} ${wallMs.toFixed(0).padStart(8)}`;

const folder = mkdtempSync(join(tmpdir(), "sluice-bench-audio-"));
try {
  const source = join(folder, "source.wav");
  writeFileSync(source, wav([minute(44_100, 440), minute(44_100, 660)], 44_100));
  const decode = audioDecoder({ PATH: process.env["PATH"] });
  console.log("per minute of sound         CPU ms  wall ms");
  for (const [name, options] of formats) {
    const file = name === "wav" ? source : join(folder, `sound.${name}`);
    if (name !== "wav") {
      const made = spawnSync("ffmpeg", ["-nostdin", "-v", "error", "-y", "-i", source, ...options, file]);
      if (made.status !== 0) {
        console.log(`${name.padEnd(26)} not measured: ffmpeg made no such file`);
        continue;
      }
    }
    const bytes = readFileSync(file);
    console.log(`decode ${name.padEnd(19)}${shown(await measured(() => decode(bytes, { maxSeconds: 100 })))}`);
  }
  const mono = minute(44_100, 440);
  console.log(`resample 44.1 → 16 kHz    ${shown(await measured(() => resample(mono, 44_100, 16_000)))}`);
  const sound = resample(mono, 44_100, 16_000);
  const features = logMel(16_000, { fft: 400, hop: 160, mels: 80, low: 0, high: 8000, scale: "whisper" });
  console.log(`log-mel, 80 bands         ${shown(await measured(() => features(sound)))}`);
  const bytes = new Uint8Array(readFileSync(join(import.meta.dirname, "../tests/fixtures/silero_vad.onnx")));
  const graph = {
    bytes,
    sha256: createHash("sha256").update(bytes).digest("hex"),
    source: "silero_vad.onnx",
    externalData: [],
    totalBytes: bytes.length,
  };
  const activity = await openVoiceActivity(graph, "bench");
  const settings = segmentSettings.parse({ graph: { path: "silero_vad.onnx", sha256: graph.sha256 } });
  const cutting = await measured(() => cut(sound, activity, settings, 16_000));
  await activity.close();
  console.log(`cut into segments         ${shown(cutting)}`);
  console.log(`  per window of 32 ms: ${(cutting.cpuMs / (sound.length / 512)).toFixed(3)} ms CPU`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
