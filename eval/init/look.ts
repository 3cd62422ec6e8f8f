import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { readdir, readFile, stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { isLfsPointer } from "../../models/core/artifact/lfs-pointer.ts";
import { readOnnxHeader } from "../../models/core/artifact/onnx-file.ts";
import { ConfigurationError, EvaluationError } from "../../models/core/errors.ts";
import { lookAtGraph, type GraphLook } from "../../models/inspect/graph.ts";
import { withoutZipMap } from "../../models/inspect/without-zipmap.ts";
import { formatOf, openReader, type Format } from "../dataset/formats/open.ts";
import { columnTally, type Column } from "./columns.ts";
import type { ImageFacts, Sidecar } from "./scene.ts";

/** A model file, what its graph says, and the bytes that the repository will hold. */
export type SeenModel = {
  file: string;
  graph: GraphLook;
  bytes: Uint8Array;
  sha256: string;
  /** The bytes differ from the file's: a ZipMap was taken out. */
  changed: boolean;
  external: { path: string; file: string; sha256: string }[];
};

/** Rows that are looked at for their columns. */
const maxRows = 200_000;

/**
 * Reads an ONNX file, or the one of a folder that Optimum exported.
 *
 * @throws ConfigurationError for a wrong path; EvaluationError for what is no ONNX file
 */
export async function lookAtModel(path: string): Promise<SeenModel> {
  const facts = await stat(path).catch(() => null);
  if (facts === null)
    throw new ConfigurationError({
      code: "init-model",
      place: path,
      problem: "there is no such file",
      expected: "an ONNX file, or a folder with one",
      example: "sluice init model.onnx --data rows.csv",
    });
  const file = facts.isDirectory() ? await onlyModel(path) : path;
  const bytes = await readFile(file);
  const reading = readOnnxHeader(bytes);
  if (!reading.ok)
    throw new EvaluationError({
      code: reading.code,
      place: file,
      problem: reading.problem,
      expected: "an ONNX file",
      received: reading.received,
      ...(isLfsPointer(bytes) ? { hint: "git lfs pull" } : {}),
    });
  const external = await Promise.all(
    reading.header.externalLocations.map(async (location) => {
      const beside = join(dirname(file), location);
      const content = await readFile(beside).catch(() => null);
      if (content === null)
        throw new EvaluationError({
          code: "model-external-data",
          place: file,
          problem: `the weights lie in a file of their own, and it is not there`,
          expected: beside,
          hint: "put it beside the model",
        });
      return { path: location, file: beside, sha256: digestOf(content) };
    }),
  );
  let graph = lookAtGraph(bytes);
  let kept: Uint8Array = bytes;
  const { zipMap, notTensors } = graph;
  if (zipMap !== null && notTensors.includes(zipMap.to)) {
    kept = withoutZipMap(bytes, zipMap);
    const { classes } = graph;
    graph = { ...lookAtGraph(kept), classes, zipMap };
  }
  return { file, graph, bytes: kept, sha256: digestOf(kept), changed: kept !== bytes, external };
}

export const digestOf = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

async function onlyModel(folder: string): Promise<string> {
  const inside = (await readdir(folder)).filter((name) => name.endsWith(".onnx")).toSorted();
  const nested = existsSync(join(folder, "onnx"))
    ? (await readdir(join(folder, "onnx"))).filter((name) => name.endsWith(".onnx"))
    : [];
  const all = [...inside, ...nested.map((name) => `onnx/${name}`)];
  const chosen = all.find((name) => basename(name) === "model.onnx") ?? (all.length === 1 ? all[0] : undefined);
  if (chosen === undefined)
    throw new ConfigurationError({
      code: "init-model",
      place: folder,
      problem: all.length === 0 ? "the folder has no ONNX file" : "the folder has several ONNX files",
      expected: "one file, or a model.onnx",
      received: all.join(", ") || "none",
      example: `sluice init ${join(folder, all[0] ?? "model.onnx")} --data rows.csv`,
      ...(all.some((name) => /decoder|encoder/.test(name))
        ? {
            hint: "encoder and decoder are run in a loop over their own answers, and init sets up graphs that answer in one run",
          }
        : {}),
    });
  return join(folder, chosen);
}

/** @throws what the readers throw */
export async function lookAtData(
  path: string,
): Promise<{ format: Format; columns: Column[]; rows: number; notes: string[] }> {
  const format = await formatOf(path, path, undefined);
  const opened = await openReader(path, path, format, new Map());
  const tally = columnTally();
  let rows = 0;
  for await (const reading of opened.readings) {
    if (reading.kind === "malformed") continue;
    tally.see(reading.fields);
    if (++rows >= maxRows) break;
  }
  if (rows === 0)
    throw new EvaluationError({
      code: "no-rows",
      place: path,
      problem: "the data has no rows",
      expected: "at least one",
    });
  return { format, columns: tally.columns(), rows, notes: opened.notes };
}

const jsonIn = async (file: string): Promise<Record<string, unknown> | null> => {
  try {
    return JSON.parse(await readFile(file, "utf8")) as Record<string, unknown>;
  } catch {
    return null;
  }
};

/** What lies beside the model: in its folder, or one above where the model is in a folder `onnx`. */
export async function lookBeside(model: string, tokenizer: string | null): Promise<Sidecar> {
  const own = dirname(resolve(model));
  const dir = !existsSync(join(own, "config.json")) && basename(own) === "onnx" ? dirname(own) : own;
  const config = await jsonIn(join(dir, "config.json"));
  const file = tokenizer ?? (existsSync(join(dir, "tokenizer.json")) ? join(dir, "tokenizer.json") : null);
  if (file !== null && !existsSync(file))
    throw new ConfigurationError({
      code: "init-tokenizer",
      place: "--tokenizer",
      problem: "there is no such file",
      expected: "a tokenizer.json",
      received: file,
      example: "--tokenizer tokenizer.json",
    });
  const read = file === null ? null : await jsonIn(file);
  const tokenizerConfig = file === null ? null : join(dirname(file), "tokenizer_config.json");
  const settings = tokenizerConfig === null ? null : await jsonIn(tokenizerConfig);
  const number = (value: unknown): number | null =>
    typeof value === "number" && Number.isInteger(value) && value > 0 && value < 1e6 ? value : null;
  const lengths = [
    number(settings?.["model_max_length"]),
    number(config?.["max_position_embeddings"]),
    number((read?.["truncation"] as { max_length?: unknown } | null | undefined)?.max_length),
  ].filter((one) => one !== null);
  const padding = (read?.["padding"] as { pad_id?: unknown } | null | undefined)?.pad_id ?? config?.["pad_token_id"];
  const named = config?.["id2label"] as Record<string, unknown> | undefined;
  const classes =
    named === undefined
      ? null
      : Object.keys(named)
          .toSorted((a, b) => Number(a) - Number(b))
          .map((key) => String(named[key]));
  const architectures = config?.["architectures"];
  return {
    tokenizer:
      file === null
        ? null
        : {
            file,
            config: settings === null ? null : tokenizerConfig,
            padId: typeof padding === "number" ? padding : 0,
            maxTokens: lengths.length === 0 ? null : Math.min(...lengths),
          },
    classes: classes !== null && classes.length >= 2 ? classes : null,
    architecture: Array.isArray(architectures) ? String(architectures[0]) : null,
    image: imageFacts(await jsonIn(join(dir, "preprocessor_config.json"))),
  };
}

function imageFacts(config: Record<string, unknown> | null): ImageFacts | null {
  if (config === null || config["image_mean"] === undefined) return null;
  const sizeOf = (value: unknown): { width: number; height: number } | null => {
    if (typeof value === "number") return { width: value, height: value };
    const { width, height, shortest_edge: edge } = (value ?? {}) as Record<string, unknown>;
    if (typeof width === "number" && typeof height === "number") return { width, height };
    return typeof edge === "number" ? { width: edge, height: edge } : null;
  };
  const size = sizeOf(config["size"]);
  return {
    width: size?.width ?? null,
    height: size?.height ?? null,
    crop: config["do_center_crop"] === true ? sizeOf(config["crop_size"]) : null,
    scale:
      config["do_rescale"] === false
        ? 1
        : typeof config["rescale_factor"] === "number"
          ? config["rescale_factor"]
          : 1 / 255,
    mean: config["do_normalize"] === false ? [0, 0, 0] : (config["image_mean"] as number[]),
    std: config["do_normalize"] === false ? [1, 1, 1] : (config["image_std"] as number[]),
  };
}
