import { createHash } from "node:crypto";
import { type Checker, CheckStatus, type CheckResult } from "@stryker-mutator/api/check";
import type { Mutant, StrykerOptions } from "@stryker-mutator/api/core";
import { commonTokens, declareClassPlugin, declareValuePlugin, PluginKind, tokens } from "@stryker-mutator/api/plugin";

/** Takes `count` of a room's mutants by a seeded hash, so that each is as likely as any other. */
class Sample implements Checker {
  static inject = tokens(commonTokens.options);
  /** null: all of them. */
  readonly #count: number | null;
  readonly #seed: number;

  constructor(options: StrykerOptions) {
    const { count, seed } = options["sample"] as { count: number | null; seed: number };
    this.#count = count;
    this.#seed = seed;
  }

  init(): Promise<void> {
    return Promise.resolve();
  }

  group(mutants: Mutant[]): Promise<string[][]> {
    return Promise.resolve([mutants.map(({ id }) => id)]);
  }

  check(mutants: Mutant[]): Promise<Record<string, CheckResult>> {
    const rank = ({ fileName, location: { start, end }, replacement }: Mutant) =>
      createHash("sha256")
        .update(
          [
            this.#seed,
            fileName.replace(/.*sandbox-[^/]+\//, ""),
            start.line,
            start.column,
            end.line,
            end.column,
            replacement,
          ].join("\n"),
        )
        .digest("hex");
    const taken = new Set(
      mutants
        .map((mutant) => [rank(mutant), mutant.id] as const)
        .toSorted(([a], [b]) => (a < b ? -1 : 1))
        .slice(0, this.#count ?? mutants.length)
        .map(([, id]) => id),
    );
    return Promise.resolve(
      Object.fromEntries(
        mutants.map(({ id }): [string, CheckResult] => [
          id,
          taken.has(id)
            ? { status: CheckStatus.Passed }
            : { status: CheckStatus.CompileError, reason: "not in the sample" },
        ]),
      ),
    );
  }
}

/** Leaves alone what is only read by people: texts with a space in them. */
const words = {
  shouldIgnore({
    node,
  }: {
    node: { type: string; value?: unknown; quasis?: { value: { raw: string } }[] };
  }): string | undefined {
    const text =
      node.type === "StringLiteral"
        ? String(node.value)
        : node.type === "TemplateLiteral"
          ? (node.quasis ?? []).map(({ value }) => value.raw).join("")
          : "";
    return text.includes(" ") ? "a text for a reader" : undefined;
  },
};

export const strykerPlugins = [
  declareClassPlugin(PluginKind.Checker, "sample", Sample),
  declareValuePlugin(PluginKind.Ignore, "words", words),
];
