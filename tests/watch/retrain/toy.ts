import { join } from "node:path";
import { stringify } from "yaml";
import { jsonLines, linearManifest, teamRepository, type TeamRepository } from "../../cli/repository.ts";

/**
 * Fits the linear fixture's three weights and its bias by least squares, and writes them into the graph's own bytes.
 * Its data is what SLUICE_TRAIN_DATA names.
 */
export const trainScript = `
import { readFileSync, writeFileSync } from "node:fs";
const [{ path }] = JSON.parse(process.env.SLUICE_TRAIN_DATA);
const rows = readFileSync(path, "utf8").trim().split("\\n").map((line) => JSON.parse(line));
const size = 4;
const system = Array.from({ length: size }, () => Array(size + 1).fill(0));
for (const { a, b, c, value } of rows) {
  const x = [a, b, c, 1];
  for (let i = 0; i < size; i++) {
    for (let j = 0; j < size; j++) system[i][j] += x[i] * x[j];
    system[i][size] += x[i] * value;
  }
}
for (let i = 0; i < size; i++)
  for (let k = 0; k < size; k++) {
    if (k === i) continue;
    const factor = system[k][i] / system[i][i];
    for (let j = i; j <= size; j++) system[k][j] -= factor * system[i][j];
  }
const fitted = system.map((row, i) => row[size] / row[i]);
const graph = readFileSync("linear.onnx");
graph.set(new Uint8Array(new Float32Array(fitted.slice(0, 3)).buffer), 92);
graph.set(new Uint8Array(new Float32Array(fitted.slice(3)).buffer), 118);
writeFileSync("linear.onnx", graph);
writeFileSync("train/metrics.json", JSON.stringify({ rows: rows.length, fitted }) + "\\n");
console.log("fitted", fitted.join(" "));
`;

/** Rows as the fixture answers them, but the bias is 3 and nothing is noisy; none has the values of a gate's row. */
export const trainingRows = (count = 60) =>
  Array.from({ length: count }, (_, i) => {
    const [a, b, c] = [10 + (i % 7), (i * 3) % 11, (i * 5) % 13];
    return { a, b, c, value: a + 10 * b + 100 * c + 3 };
  });

export const trainBlock = {
  command: ["node", "train/train.mjs"],
  data: [{ path: "data/train.jsonl" }],
  timeoutMinutes: 1,
  memoryMb: 2000,
};

/** A team's repository with the linear model and its training, committed. */
export function toyRepository({
  script,
  data = jsonLines(trainingRows()),
  train = trainBlock,
}: {
  script: string;
  data?: string;
  train?: object;
}): TeamRepository {
  const team = teamRepository();
  team.write("models/linear/train/train.mjs", script);
  team.write("models/linear/data/train.jsonl", data);
  team.write("models/linear/model.yaml", `# kept\n${stringify({ ...linearManifest({ version: "1.1.0" }), train })}`);
  team.git("add", "-A");
  team.git("commit", "-qm", "A training");
  return team;
}

export const folderOf = ({ dir }: TeamRepository) => join(dir, "models/linear");
