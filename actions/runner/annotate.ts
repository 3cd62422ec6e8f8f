import { isAbsolute, relative, resolve } from "node:path";
import { error as annotateError } from "@actions/core";
import { ConfigurationError, SluiceError } from "../../models/core/errors.ts";
import { logLine } from "./log.ts";

/** One error annotation, on the line that a diagnostic names. */
export function annotate(error: unknown): void {
  const words = error instanceof Error ? error.message : String(error);
  const place =
    error instanceof SluiceError
      ? fileAndLine(error.diagnostic.place, resolve(process.env["GITHUB_WORKSPACE"] ?? "."))
      : null;
  annotateError(words, {
    title: error instanceof ConfigurationError ? "configuration" : "could not run",
    ...(place === null ? {} : { file: place.file, ...(place.line === null ? {} : { startLine: place.line }) }),
  });
  // Our own errors are complete. Any other error is a bug, so print its stack.
  if (!(error instanceof SluiceError) && error instanceof Error) logLine(error.stack ?? "");
}

/**
 * The file and line of a diagnostic's place ("FILE:LINE:COLUMN …"), or null if it names none. The file is relative to
 * the workspace, as annotations need it.
 */
export function fileAndLine(
  place: string | undefined,
  workspace: string,
): { file: string; line: number | null } | null {
  const found = /^(?<file>[^\s:]+\.(?:ya?ml|json|csv|jsonl|onnx))(?::(?<line>\d+))?/.exec(place ?? "");
  if (found?.groups === undefined) return null;
  const file = found.groups["file"] as string;
  return {
    file: isAbsolute(file) ? relative(workspace, file).replaceAll("\\", "/") : file,
    line: found.groups["line"] === undefined ? null : Number(found.groups["line"]),
  };
}
