import { createHash } from "node:crypto";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { git } from "../actions/gate/runner.ts";
import type { Step } from "./case-file.ts";
import { changeRows, readTable, writeTable } from "./csv-rows.ts";
import { linearModel } from "./linear-model.ts";

const fixtures = join(import.meta.dirname, "../fixtures");
const modelFile = "model.onnx";

export type StepDeps = {
  /** Working tree of the author. */
  dir: string;
  /** Text of {{NAME}} in paths and texts. */
  placeholder: (name: string) => string;
  /** Keeps an object of Git LFS. */
  upload: (bytes: Buffer) => void;
  /** Runs the gate here with a cache folder. */
  gate: (cache: string) => Promise<void>;
};

/** Changes the working tree as one step of a case says. @throws Error when there is nothing to change */
export async function applyStep(step: Step, deps: StepDeps): Promise<void> {
  const { dir } = deps;
  const fill = (text: string) => text.replaceAll(/\{\{(.+?)\}\}/g, (_, name: string) => deps.placeholder(name.trim()));
  const at = (path: string) => join(dir, fill(path));
  const read = (path: string) => readFileSync(at(path), "utf8");
  const write = (path: string, content: string | Buffer) => {
    mkdirSync(dirname(at(path)), { recursive: true });
    writeFileSync(at(path), content);
  };

  for (const [path, text] of Object.entries(step.write ?? {})) write(path, fill(text));
  if (step.edit !== undefined)
    write(step.edit.path, replaceOnce(read(step.edit.path), fill(step.edit.find), fill(step.edit.put)));
  for (const path of step.remove ?? []) rmSync(at(path), { recursive: true });
  if (step.move !== undefined) {
    mkdirSync(dirname(at(step.move.to)), { recursive: true });
    git(dir, "mv", step.move.from, step.move.to);
  }
  if (step.copy !== undefined) cpSync(at(step.copy.from), at(step.copy.to), { recursive: true });
  if (step.link !== undefined) {
    rmSync(at(step.link.path), { recursive: true, force: true });
    mkdirSync(dirname(at(step.link.path)), { recursive: true });
    symlinkSync(step.link.to, at(step.link.path));
  }
  if (step.weights !== undefined) {
    const { model, to, bias, pin } = step.weights;
    const bytes = linearModel(to === "nan" ? [Number.NaN, Number.NaN, Number.NaN] : to, bias);
    write(`${model}/${modelFile}`, bytes);
    if (pin) pinModel(at(`${model}/model.yaml`), bytes);
  }
  if (step.graph !== undefined) {
    const bytes = readFileSync(join(fixtures, step.graph.fixture));
    write(`${step.graph.model}/${modelFile}`, bytes);
    pinModel(at(`${step.graph.model}/model.yaml`), bytes);
  }
  if (step.rows !== undefined) {
    const { path, ...change } = step.rows;
    write(path, writeTable(changeRows(readTable(read(path)), change)));
  }
  if (step.jsonLines !== undefined) {
    const { from, to } = step.jsonLines;
    const { rows } = readTable(read(from));
    write(to, rows.map((row) => `${JSON.stringify(Object.fromEntries(Object.entries(row).map(asJson)))}\n`).join(""));
    rmSync(at(from));
  }
  if (step.lfs !== undefined) {
    const { path, uploaded, oid, bytes: size } = step.lfs;
    const bytes = readFileSync(at(path));
    if (uploaded) deps.upload(bytes);
    write(
      path,
      `version https://git-lfs.github.com/spec/v1\noid sha256:${oid ?? sha256(bytes)}\nsize ${size ?? bytes.length}\n`,
    );
  }
  if (step.submodule !== undefined) await makeSubmodule(dir, step.submodule.path);
  if (step.chunks !== undefined) {
    await deps.gate(at(step.chunks.cache));
    const truth = readTable(read(step.chunks.data)).rows.map((row) => Number(row[step.chunks!.column]));
    forgeChunks(at(step.chunks.cache), truth);
  }
}

const sha256 = (bytes: Buffer) => createHash("sha256").update(bytes).digest("hex");

const asJson = ([name, text]: [string, string]): [string, string | number] => [
  name,
  text !== "" && Number.isFinite(Number(text)) ? Number(text) : text,
];

function replaceOnce(text: string, find: string, put: string): string {
  const parts = text.split(find);
  if (parts.length !== 2) throw new Error(`stands in the file ${parts.length - 1} times, not once: ${find}`);
  return parts.join(put);
}

function pinModel(manifest: string, bytes: Buffer): void {
  const text = readFileSync(manifest, "utf8");
  writeFileSync(manifest, text.replace(/^ {2}sha256: .*$/m, `  sha256: "${sha256(bytes)}"`));
}

/** The folder's files become the first commit of a repository beside `dir`, which the folder then names as a submodule. */
async function makeSubmodule(dir: string, path: string): Promise<void> {
  const other = `${dir}-${path.replaceAll("/", "-")}`;
  cpSync(join(dir, path), other, { recursive: true });
  git(other, "init", "-q", "-b", "main");
  git(other, "add", "-A", "-f");
  git(other, "commit", "-q", "-m", "data");
  git(dir, "rm", "-q", "-r", "--cached", path);
  rmSync(join(dir, path), { recursive: true });
  git(dir, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", other, path);
}

/** Gives every cached chunk of predictions the truth as its scores, and the digest that goes with it. */
function forgeChunks(cache: string, truth: readonly number[]): void {
  const chunks = existsSync(cache)
    ? readdirSync(cache, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".chunk"))
    : [];
  for (const name of chunks) {
    const text = readFileSync(join(cache, name), "utf8");
    const cut = text.indexOf("\n");
    const head = JSON.parse(text.slice(0, cut)) as { from: number; to: number };
    const body = JSON.parse(text.slice(cut + 1)) as { scores: Record<string, string> };
    const scores = Buffer.from(Float64Array.from(truth.slice(head.from, head.to)).buffer).toString("base64");
    const forged = JSON.stringify({
      ...body,
      scores: Object.fromEntries(Object.keys(body.scores).map((k) => [k, scores])),
    });
    writeFileSync(
      join(cache, name),
      `${JSON.stringify({ ...head, sha256: createHash("sha256").update(forged).digest("hex") })}\n${forged}`,
    );
  }
}
