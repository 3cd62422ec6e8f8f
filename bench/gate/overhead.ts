// node scripts/with-node24.mjs bench/gate/overhead.ts
//
// Measures what the gate costs beyond the inference that it needs anyway. Bare: one process per run that opens
// candidate and baseline, reads and prepares the rows, and runs them in the same batches, without pairing, statistics
// or report. Gate: `sluice gate MODEL --no-performance` with an empty cache.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os, { tmpdir } from "node:os";
import { enableCompileCache } from "node:module";
import { join, resolve } from "node:path";
import { readDataset } from "../../eval/dataset/read.ts";
import { defaultCacheDir } from "../../models/core/artifact/cache-dir.ts";
import { withWorkDir } from "../../eval/gate/work-dir.ts";
import { loadManifest } from "../../models/core/predictor/load.ts";
import { openPredictor } from "../../models/core/predictor/predictor.ts";

const root = resolve(import.meta.dirname, "../..");
const runs = 5;
const [mode, model] = process.argv.slice(2);

// The command line does this too.
enableCompileCache(join(root, "node_modules", ".cache", "compile"));

if (mode === "bare" && model !== undefined) {
  const dir = join(root, "models", model);
  const deps = { env: process.env, fetch, cacheDir: defaultCacheDir(process.env) };
  const candidate = await loadManifest(dir);
  await withWorkDir(process.env, async (workDir) => {
    const lfs = () => Promise.reject(new Error("this repository has no LFS objects"));
    const { rows } = await readDataset(candidate.manifest, dir, { ...deps, root, workDir, lfs });
    for (const loaded of [candidate, await loadManifest(join(dir, "production"))]) {
      const predictor = await openPredictor(loaded, {}, deps);
      await predictor.predict(rows.map(({ row }) => row));
      await predictor.close();
    }
  });
} else {
  const time = (args: string[], env: NodeJS.ProcessEnv = {}) => {
    const start = performance.now();
    const { status, stderr } = spawnSync(process.execPath, args, {
      cwd: root,
      env: { ...process.env, ...env },
      encoding: "utf8",
    });
    // Checks on performance are ERROR here (exit 4), because only the overhead over inference is measured. emoji has
    // too few rows for its margins (exit 3).
    if (status !== 0 && status !== 3 && status !== 4)
      throw new Error(`${args.join(" ")} ended with ${status}: ${stderr}`);
    return (performance.now() - start) / 1000;
  };
  const median = (values: number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] as number;
  const lines = [
    `| model | bare inference loop, s | gate, s | gate − bare × 1.1, s (goal ≤ 1) |`,
    "| --- | --- | --- | --- |",
  ];
  for (const name of ["births", "mood", "virality", "emoji"]) {
    const config = name === "emoji" ? "models/emoji/sluice.yaml" : "sluice.yaml";
    const [bare, gate]: [number[], number[]] = [[], []];
    for (let i = 0; i < runs; i++) {
      bare.push(time([import.meta.filename, "bare", name]));
      const cache = mkdtempSync(join(tmpdir(), "sluice-bench-"));
      gate.push(
        time(
          [
            "cli.ts",
            "gate",
            name,
            "--no-performance",
            "--config",
            config,
            "--out",
            join(cache, "out"),
            "--baseline",
            `models/${name}/production`,
            "--json",
          ],
          { SLUICE_CACHE: join(cache, "cache") },
        ),
      );
      rmSync(cache, { recursive: true, force: true });
    }
    lines.push(
      `| ${name} | ${median(bare).toFixed(2)} | ${median(gate).toFixed(2)} | ${(median(gate) - 1.1 * median(bare)).toFixed(2)} |`,
    );
    console.error(lines.at(-1));
  }
  const text = `# Gate overhead\n\n${new Date().toISOString().slice(0, 10)}, ${os.cpus()[0]?.model.trim()}, ${os.availableParallelism()} cores, Node ${process.versions.node}. Medians of ${runs} runs, alternating. Command: \`node scripts/with-node24.mjs bench/gate/overhead.ts\`\n\n${lines.join("\n")}\n`;
  writeFileSync(join(root, "bench/results/gate-overhead.md"), text);
  console.log(text);
}
