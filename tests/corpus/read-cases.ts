import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import type { z } from "zod";
import { parseYaml } from "../../models/core/manifest/config-file.ts";
import { caseFile, startFile, type CaseFile, type Step } from "./case-file.ts";

const here = import.meta.dirname;
const root = join(here, "../..");

const examples = {
  expected: "expected: {outcome: FAIL}",
  "expected.outcome": "outcome: [FAIL, INCOMPARABLE]",
  intent: "intent: hostile",
  kind: "kind: data",
  change: "change:\n  - weights: {model: models/fares, to: [1.9, 0.35, 2.5], bias: 4.3}",
};

export type Case = CaseFile & { name: string };

/** Every folder of tests/corpus/cases, by name. @throws ConfigurationError with file, line and column */
export function readCases(): Case[] {
  const folder = join(here, "cases");
  return readdirSync(folder)
    .toSorted()
    .map((name) => ({ name, ...readYamlFile(join(folder, name, "case.yaml"), caseFile) }));
}

/** The files that a base repository begins with, and the steps after them. */
export function readStart(name: string): { files: string; steps: Step[] } {
  const folder = join(here, "start", name);
  return { files: join(folder, "files"), steps: readYamlFile(join(folder, "start.yaml"), startFile).steps };
}

/** @throws ConfigurationError with file, line and column */
export function parseCase(text: string, file: string): CaseFile {
  return parseYaml(text, file, caseFile, examples);
}

function readYamlFile<S extends z.ZodType>(file: string, schema: S): z.output<S> {
  return parseYaml(readFileSync(file, "utf8"), relative(root, file), schema, examples);
}
