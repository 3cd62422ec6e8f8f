import { stringify } from "yaml";
import type { ManifestInput } from "../../models/core/manifest/manifest.ts";
import type { ProposedGates } from "./propose-gates.ts";
import type { Note } from "./question.ts";

export type ModelFacts = {
  manifest: ManifestInput;
  gates: ProposedGates;
  /** What was decided, part by part, and whether it was a guess. */
  notes: readonly Note[];
  /** Lines about the file that it was made from. */
  about: readonly string[];
  example: Readonly<Record<string, unknown>> | null;
  /** Where editors find the schema; null for none. */
  schema: string | null;
};

const wide = 118;

/** A value on one line, as YAML's flow style writes it. */
const flow = (value: unknown) =>
  stringify(value, { collectionStyle: "flow", lineWidth: 0, flowCollectionPadding: false }).trim();

/**
 * model.yaml with comments: where each part comes from, and `guess:` where nothing but likelihood speaks for it. Equal
 * facts give equal bytes. Pure.
 */
export function modelYaml({ manifest, gates, notes, about, example, schema }: ModelFacts): string {
  const said = (part: string) =>
    notes.filter((one) => one.about === part).flatMap(({ says, guess }) => comment(`${guess ? "guess: " : ""}${says}`));
  const { dataset } = manifest;
  const lines: string[] = [
    ...(schema === null ? [] : [`# yaml-language-server: $schema=${schema}`]),
    ...about.flatMap((line) => comment(line)),
    "schemaVersion: 1",
    `id: ${flow(manifest.id)}`,
    `version: ${manifest.version}`,
    ...said("task"),
    `task: ${manifest.task}`,
    ...(manifest.description === undefined ? [] : [`description: ${flow(manifest.description)}`]),
    "artifact:",
    ...(manifest.artifact.path === undefined ? [] : [`  path: ${flow(manifest.artifact.path)}`]),
    `  sha256: ${manifest.artifact.sha256}`,
    ...(manifest.artifact.externalData === undefined || manifest.artifact.externalData.length === 0
      ? []
      : ["  externalData:", ...manifest.artifact.externalData.map((one) => `    - ${flow(one)}`)]),
    "",
    "# How a row becomes the graph's inputs.",
    ...said("preprocess"),
    "preprocess:",
    ...block(manifest.preprocess, 1),
    "",
    "inputs:",
    ...manifest.inputs.map((one) => `  - ${flow(one)}`),
    "outputs:",
    ...manifest.outputs.map((one) => `  - ${flow(one)}`),
    "",
    "# What the outputs mean.",
    ...said("postprocess"),
    "postprocess:",
    ...manifest.postprocess.map((one) => `  - ${flow(one)}`),
    "",
    "# The rows that judge it: rows that it was not trained on.",
    ...said("data"),
    "dataset:",
    `  id: ${flow(dataset!.id)}`,
    "  files:",
    ...dataset!.files.map((one) => `    - ${flow(one)}`),
    ...(dataset!.idField === undefined ? [] : [`  idField: ${flow(dataset!.idField)}`]),
    ...indented(said("label")),
    "  labels:",
    ...Object.entries(dataset!.labels).map(([name, one]) => `    ${flow(name)}: ${flow(one)}`),
    ...(dataset!.slices === undefined ? [] : [...indented(said("slices")), `  slices: ${flow(dataset!.slices)}`]),
    ...(dataset!.group === undefined ? [] : [...indented(said("group")), `  group: ${flow(dataset!.group)}`]),
    ...(dataset!.time === undefined ? [] : [`  time: ${flow(dataset!.time)}`]),
    ...(dataset!.maxBadRows === undefined
      ? []
      : [...indented(said("maxBadRows")), `  maxBadRows: ${flow(dataset!.maxBadRows)}`]),
    "",
  ];
  if (gates.checks.length > 0)
    lines.push(
      "# Each check is one that these rows can decide; `sluice plan` says what they can show.",
      "gates:",
      "  checks:",
      ...gates.checks.flatMap(({ check, says }) => [...indented(comment(says), 2), `    - ${flow(check)}`]),
      ...gates.dropped.flatMap((one) => indented(comment(one), 2)),
      "    # Latency is a matter of your machines: look at a few gates first.",
      "    # - {kind: limit, metric: latency_p50_ms, max: 20}",
    );
  if (example !== null)
    lines.push(
      "",
      "# The rows that prove a deployment, and fill the server's page.",
      "serving:",
      "  examples:",
      `    - ${flow(example)}`,
    );
  return `${lines.join("\n")}\n`;
}

/** Wrapped at 100 columns. */
function comment(text: string): string[] {
  const lines: string[] = [];
  let line = "#";
  for (const word of text.replaceAll(/\s+/g, " ").split(" ")) {
    if (line.length + word.length + 1 > 100 && line !== "#") {
      lines.push(line);
      line = "#  ";
    }
    line += ` ${word}`;
  }
  return [...lines, line];
}

const indented = (lines: readonly string[], by = 1) => lines.map((line) => `${"  ".repeat(by)}${line}`);

/** A map with short values on one line each, and long ones below their key. */
function block(value: object, depth: number): string[] {
  const pad = "  ".repeat(depth);
  return Object.entries(value).flatMap(([key, one]): string[] => {
    const line = `${pad}${flow(key)}: ${flow(one)}`;
    if (line.length <= wide || typeof one !== "object" || one === null) return [line];
    if (Array.isArray(one))
      return one.every((item) => typeof item !== "object")
        ? [line]
        : [`${pad}${flow(key)}:`, ...one.map((item) => `${pad}  - ${flow(item)}`)];
    return [`${pad}${flow(key)}:`, ...block(one as object, depth + 1)];
  });
}
