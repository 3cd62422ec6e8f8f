import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { parse, stringify } from "yaml";
import { repositoryRoot } from "../actions/gate/runner.ts";
import { filesOf, filledIn, snippetsOf } from "../../rehearsal/scene/snippets.ts";
import { findingsOf } from "./rules.ts";
import { ignored, openTools, type Diagnostic } from "./tools.ts";

const documents = [
  "README.md",
  ...readdirSync(join(repositoryRoot, "docs"))
    .filter((name) => name.endsWith(".md"))
    .map((name) => `docs/${name}`),
];
const read = (document: string) => readFileSync(join(repositoryRoot, document), "utf8");
const snippets = documents.flatMap((document) =>
  snippetsOf(read(document)).map((snippet) => ({ ...snippet, place: `${document}:${snippet.line}` })),
);

/** A complete workflow unchanged; a part of one wrapped in the smallest workflow; null for other YAML. */
function workflowOf(text: string): string | null {
  const value: unknown = parse(text);
  const step = (one: unknown) => typeof one === "object" && one !== null && ("uses" in one || "run" in one);
  const around = (parts: object) => stringify({ on: { push: {} }, permissions: {}, ...parts });
  const job = { "runs-on": "ubuntu-24.04", "timeout-minutes": 10, permissions: {} };
  // A part shows one thing and leaves the rest to its page.
  if (Array.isArray(value))
    return value.some(step)
      ? pinnedText(text, around({ concurrency: "one", jobs: { one: { ...job, steps: value as unknown[] } } }))
      : null;
  if (typeof value !== "object" || value === null) return null;
  if ("jobs" in value) return "on" in value ? text : pinnedText(text, around(value));
  return "on" in value ? around({ ...value, jobs: { one: { ...job, steps: [{ run: "true" }] } } }) : null;
}

/** Comments do not survive parsing, and the versions beside pinned actions are comments. */
function pinnedText(from: string, to: string): string {
  const versions = new Map(
    [...from.matchAll(/uses: (\S+)( +#.*)$/gm)].map((one) => [one[1] as string, one[2] as string]),
  );
  return to.replaceAll(/uses: (\S+)$/gm, (line, uses: string) => `${line}${versions.get(uses) ?? ""}`);
}

const yaml = snippets.filter(({ language }) => language === "yaml" || language === "yml");
const workflows = yaml.flatMap(({ place, text }) => {
  const workflow = workflowOf(text);
  return workflow === null ? [] : [{ place, workflow }];
});

describe("the documents' YAML", () => {
  const said = new Map<string, Diagnostic[]>();
  beforeAll(async () => {
    const diagnosticsOf = await openTools();
    for (const { place, workflow } of workflows) {
      const diagnostics = await diagnosticsOf(
        ".github/workflows/snippet.yml",
        filledIn(workflow, { sluice: "octo/sluice", sha: "0".repeat(40) }),
      );
      said.set(
        place,
        diagnostics.filter(({ message }) => !ignored.some((one) => one.message.test(message))),
      );
    }
  });

  it("exists and contains workflows", () => {
    expect([yaml.length, workflows.length].map((count) => count >= 8)).toEqual([true, true]);
  });

  it.each(yaml)("$place can be parsed", ({ text }) => {
    expect(() => {
      parse(text);
    }).not.toThrow();
  });

  it.each(workflows)("$place keeps the rules of our own workflows", ({ place, workflow }) => {
    expect(findingsOf(workflow)).toEqual([]);
    expect(said.get(place)).toEqual([]);
  });
});

describe("the extractor", () => {
  it("finds blocks with their language, title and line; indented and nested ones too", () => {
    const found = snippetsOf(
      'a\n```yaml title="x/y.yml"\na: 1\n```\n1. b\n   ```json\n   {"c":\n     1}\n   ```\n````markdown\n```sh\nls\n```\n````\n',
    );
    expect(found).toEqual([
      { language: "yaml", title: "x/y.yml", text: "a: 1\n", line: 2 },
      { language: "json", title: null, text: '{"c":\n  1}\n', line: 6 },
      { language: "markdown", title: null, text: "```sh\nls\n```\n", line: 10 },
    ]);
  });

  it("refuses a block without an end, and a file twice", () => {
    expect(() => snippetsOf("```\na\n")).toThrow("line 1: the block is never closed");
    expect(() => filesOf('```a title="x"\n```\n```a title="x"\n```\n')).toThrow("line 3: x is there twice");
  });

  it("fills in the reader's own names and nothing else", () => {
    expect(
      filledIn("uses: OWNER/REPO/a@SHA # SHA\nspace: NS/fares\nALBUMS/x", {
        sluice: "o/s",
        sha: "1".repeat(40),
        namespace: "ns",
      }),
    ).toBe(`uses: o/s/a@${"1".repeat(40)} # SHA\nspace: ns/fares\nALBUMS/x`);
  });
});
