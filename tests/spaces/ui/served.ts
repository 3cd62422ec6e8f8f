import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { stringify } from "yaml";
import { wordTokenizer } from "../../models/core/build.ts";
import { rankingToy, seriesToy, spansToy, topToy, wordToy, type Toy } from "../../models/core/kinds.ts";

const root = fileURLToPath(new URL("../../..", import.meta.url));

/** Text of a hostile model. As a label it reaches bars, tables, charts and files. */
export const HOSTILE = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>";

export type Served = { url: string; stop: () => Promise<void> };

const PIXELS = `schemaVersion: 1
id: pixels
version: 1.0.0
task: multiclass-classification
description: The strongest colour of an image, and its brightness
artifact: {path: pixels.onnx, sha256: SHA256}
preprocess:
  image: {kind: image, field: photo, resize: {width: 8, height: 8}}
inputs:
  - {name: pixels, dtype: float32, shape: [batch, 3, 8, 8], from: image.pixels}
outputs:
  - {name: channels, dtype: float32, shape: [batch, 3]}
  - {name: brightness, dtype: float32, shape: [batch, 1]}
postprocess:
  - {name: colour, from: channels, kind: classification, activation: softmax, labels: [red, green, blue]}
  - {name: brightness, from: brightness, kind: regression, inverse: {kind: affine, scale: 100, offset: 0}, unit: percent}
`;

/**
 * `sluice serve` with both sample models, one whose labels and description contain markup, and one for images. Resolves
 * when it is ready.
 */
export async function serveModels(): Promise<Served> {
  const dir = mkdtempSync(join(tmpdir(), "sluice-ui-"));
  cpSync(join(root, "models/mood"), join(dir, "hostile"), {
    recursive: true,
    filter: (path) => !path.includes("/train") && !path.includes("/production"),
  });
  const manifest = join(dir, "hostile/model.yaml");
  const inYaml = JSON.stringify(HOSTILE);
  writeFileSync(
    manifest,
    readFileSync(manifest, "utf8")
      .replace("id: mood", "id: hostile")
      .replace(/^description: Sentiment.*$/m, `description: ${inYaml}`)
      .replace("labels: [negative, positive], positive: positive", `labels: [negative, ${inYaml}]`)
      .replace(/^dataset:[\s\S]*?^serving:/m, "serving:")
      .replace("The battery lasts two days and the screen is gorgeous.", HOSTILE.replaceAll('"', "'")),
  );
  const onnx = readFileSync(new URL("pixels.onnx", import.meta.url));
  mkdirSync(join(dir, "pixels"));
  writeFileSync(join(dir, "pixels/pixels.onnx"), onnx);
  writeFileSync(
    join(dir, "pixels/model.yaml"),
    PIXELS.replace("SHA256", createHash("sha256").update(onnx).digest("hex")),
  );
  return started(["mood", "births", join(dir, "hostile"), join(dir, "pixels")], dir, process.env);
}

const REPLY = `schemaVersion: 1
id: reply
version: 1.0.0
task: text-generation
description: A kind word for a mood
backend: hf-inference
model: some-org/some-model
inputs:
  text: {type: text, maxCharacters: 500}
  mood: {type: text, maxCharacters: 40, fill: some mood}
prompt: {system: Answer with one kind sentence., template: "{{mood}}: {{text}}"}
retry: {attempts: 1}
breaker: {failures: 50}
prices: {inputPerMillionTokens: 1, outputPerMillionTokens: 4}
pair: {model: mood, answers: {mood: mood.label}}
serving: {examples: [{text: I passed my exam}]}
`;

/**
 * The production version of mood with its receipt, as in a Space; a copy whose receipt is for other weights; and a
 * remote model that is paired with mood.
 */
export async function servePair(env: Record<string, string>): Promise<Served> {
  const dir = mkdtempSync(join(tmpdir(), "sluice-pair-"));
  cpSync(join(root, "models/mood/production"), join(dir, "mood"), { recursive: true });
  cpSync(join(root, "models/mood"), join(dir, "other"), {
    recursive: true,
    filter: (path) => !path.includes("/train") && !path.includes("/production"),
  });
  cpSync(join(dir, "mood/receipt.json"), join(dir, "other/receipt.json"));
  const manifest = join(dir, "other/model.yaml");
  writeFileSync(
    manifest,
    readFileSync(manifest, "utf8")
      .replace("id: mood", "id: other")
      .replace(/^dataset:[\s\S]*?^serving:/m, "serving:"),
  );
  mkdirSync(join(dir, "reply"));
  writeFileSync(join(dir, "reply/model.yaml"), REPLY);
  return started([join(dir, "mood"), join(dir, "reply"), join(dir, "other")], dir, {
    PATH: process.env["PATH"],
    ...env,
  });
}

/** The repository's own mood with its remote pair. */
export async function serveMood(env: Record<string, string>): Promise<Served> {
  return started(["mood", "reply"], mkdtempSync(join(tmpdir(), "sluice-mood-")), { PATH: process.env["PATH"], ...env });
}

/** A model of each further kind of head, with rows that show something. */
export async function serveKinds(): Promise<Served> {
  const dir = mkdtempSync(join(tmpdir(), "sluice-kinds-"));
  const words = "the of Anna Berg Vienna . moved from to and met in Clara New York".split(" ");
  // Token i has the label at (i - 1) % 5: outside, a person, its next word, a place, its next word.
  const ids: Record<string, number> = { Anna: 2, Berg: 3, Clara: 7, Vienna: 4, New: 9, York: 5 };
  let outside = 1;
  for (const word of words) if (ids[word] === undefined) [ids[word], outside] = [outside, outside + 5];
  const tokenizer = JSON.parse(JSON.stringify(wordTokenizer())) as { model: { vocab: Record<string, number> } };
  for (const [word, id] of Object.entries(ids)) {
    delete tokenizer.model.vocab[`t${id}`];
    tokenizer.model.vocab[word] = id;
  }
  const shown: Record<string, [Toy, Record<string, unknown>]> = {
    pages: [rankingToy(false, { k: 8, exclude: undefined }), { a: 3.2, b: 1.1, c: 0.4 }],
    demand: [seriesToy(true), { history: [1.2, 2.1, 2.0, 3.4, 3.1, 4.0] }],
    seen: [
      seriesToy(true, { flag: { observed: "seen", level: 0.8 } }),
      { history: [1.2, 2.1, 2.0, 3.4, 3.1, 4.0], seen: [4.9, 9, null] },
    ],
    entities: [spansToy(), { text: "Anna Berg moved from Vienna to New York and met Clara in Vienna ." }],
    kinds: [topToy(), { a: 1, b: 3, c: 2 }],
    words: [wordToy(), { text: "t7 t1" }],
  };
  const folders = Object.entries(shown).map(([id, [{ manifest, files }, example]]) => {
    const folder = join(dir, id);
    mkdirSync(folder);
    const own = id === "entities" ? { ...files, "tokenizer.json": JSON.stringify(tokenizer) } : files;
    for (const [name, content] of Object.entries(own)) writeFileSync(join(folder, name), content);
    cpSync(join(root, "tests/fixtures", manifest.artifact.path!), join(folder, manifest.artifact.path!));
    writeFileSync(join(folder, "model.yaml"), stringify({ ...manifest, id, serving: { examples: [example] } }));
    return folder;
  });
  return started(folders, dir, process.env);
}

async function started(models: readonly string[], dir: string, env: NodeJS.ProcessEnv): Promise<Served> {
  const port = await freePort();
  const server = spawn(
    join(root, "node_modules/node/bin/node"),
    ["cli.ts", "serve", ...models, "--port", String(port), "--host", "127.0.0.1", "--log-level", "error"],
    { cwd: root, stdio: ["ignore", "pipe", "pipe"], env },
  );
  let said = "";
  for (const stream of [server.stdout, server.stderr])
    stream.on("data", (chunk: Buffer) => {
      said = `${said}${chunk.toString()}`.slice(-4000);
    });
  const ended = new Promise<void>((resolve) => {
    server.once("exit", () => resolve());
  });
  const url = `http://127.0.0.1:${port}`;
  const stop = async () => {
    server.kill("SIGKILL");
    await ended;
    rmSync(dir, { recursive: true, force: true });
  };
  const until = Date.now() + 180_000;
  while (!(await ready(url))) {
    if (Date.now() > until || server.exitCode !== null) {
      await stop();
      throw new Error(`the server did not become ready:\n${said}`);
    }
    await new Promise((resolve) => {
      setTimeout(resolve, 100);
    });
  }
  return { url, stop };
}

async function ready(url: string): Promise<boolean> {
  try {
    return (await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(2000) })).ok;
  } catch {
    return false;
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const { port } = probe.address() as AddressInfo;
      probe.close(() => resolve(port));
    });
  });
}
