import { z } from "zod";
import { quantile } from "../../eval/stats/quantile.ts";
import { ARM_HEADER, CONTROL_HEADER } from "../../models/core/rollout/plan.ts";
import { rolloutStatus } from "../../models/core/rollout/status.ts";
import { STANDARD_ANSWER } from "../../models/core/media-type.ts";
import { TREE_HEADER } from "../../models/core/tree-digest.ts";
import type { Expected } from "../bundle/deployed.ts";
import { DeployFailure } from "../hub/failure.ts";
import { HttpRefusal, NoAnswer, type Http, type HttpDeps } from "../hub/http.ts";
import type { Settings } from "../hub/settings.ts";
import { differenceOf } from "./compare.ts";

/** What was observed by using the Space. */
export type Proof = {
  rounds: number;
  predictions: number;
  p50Ms: number;
  exact: boolean;
  commit: string | null;
  sha256: string;
};

const infoSchema = z.object({
  id: z.string(),
  version: z.string(),
  artifact: z.object({ sha256: z.string() }),
  engine: z.object({ onnxruntime: z.string() }).optional(),
  machine: z.object({ cpu: z.string() }).optional(),
  deployment: z.object({
    source: z.object({ commit: z.string().nullable() }),
    verdict: z.object({ sha256: z.string() }),
  }),
});

type ProveDeps = HttpDeps & {
  http: Http;
  onRound: (text: string) => void;
  /**
   * Called before every round and after the last: throws when the revision no longer runs or was replaced. What it
   * throws ends the proof.
   */
  stillRuns: () => Promise<void>;
};

/** A mismatch that occurs this often in a row is treated as permanent. */
const maxConsecutiveMismatches = 3;

/**
 * Proves that the running revision is the wanted one and answers as it did when it was measured. Checks readiness,
 * identity (our commit, our weights), golden answers and latency, in several consecutive rounds. Every request has a
 * connection of its own, and every answer is compared: two revisions behind one address are found.
 *
 * @param baseUrl of the Space's app
 * @param token sent only to a private Space
 * @param until on `deps.monotonic`: no round is tried again after this
 * @throws DeployFailure naming the check that failed last; what `stillRuns` throws
 */
export async function prove(
  baseUrl: string,
  expected: Expected,
  token: (() => Promise<string | null>) | null,
  settings: Settings,
  until: number,
  deps: ProveDeps,
): Promise<Proof> {
  const { deployed, golden } = expected;
  const probe = new Probe(baseUrl, expected, token, settings, deps);
  const began = deps.monotonic();
  let rounds = 0;
  let exact = false;
  const times: number[] = [];
  let wrong = { code: "", count: 0 };
  for (;;) {
    await deps.stillRuns();
    let askedMs = 0;
    try {
      exact = await probe.round(times);
      rounds += 1;
      wrong = { code: "", count: 0 };
      deps.onRound(
        `proof ${rounds} of ${settings.passes}: ready, ${deployed.model.id} ${deployed.model.version}, ${golden.rows.length} golden answers${exact ? ", exactly" : ""}, p50 ${quantile(times, 0.5).toFixed(0)} ms`,
      );
      // RUNNING has to last: a revision that has only just started may still fall over.
      if (rounds >= settings.passes && deps.monotonic() - began >= 2 * settings["poll-interval"]) {
        await deps.stillRuns();
        return {
          rounds,
          predictions: times.length,
          p50Ms: quantile(times, 0.5),
          exact,
          commit: deployed.source.commit,
          sha256: deployed.model.sha256,
        };
      }
    } catch (error) {
      deps.signal.throwIfAborted();
      if (!(error instanceof ProbeFailure || error instanceof NoAnswer || error instanceof HttpRefusal)) throw error;
      const failure =
        error instanceof ProbeFailure
          ? error
          : new DeployFailure("unreachable", `the Space did not answer: ${error.message}`, { cause: error });
      askedMs = error instanceof ProbeFailure ? error.retryAfterMs : 0;
      wrong = { code: failure.code, count: wrong.code === failure.code ? wrong.count + 1 : 1 };
      rounds = 0;
      times.length = 0;
      deps.onRound(`not proved: ${failure.message}`);
      const definite = /^(wrong|slow)/.test(failure.code) && wrong.count >= maxConsecutiveMismatches;
      if (definite || deps.monotonic() + askedMs >= until) throw failure;
    }
    await deps.sleep(Math.max(askedMs, settings["poll-interval"] * (0.4 + 0.2 * deps.random())), deps.signal);
  }
}

/** A check of one round that failed. `retryAfterMs`: how long the app asks to be left alone. */
class ProbeFailure extends DeployFailure {
  readonly retryAfterMs: number;

  constructor(code: string, message: string, retryAfterMs = 0) {
    super(code, message);
    this.retryAfterMs = retryAfterMs;
  }
}

class Probe {
  readonly #base: string;
  readonly #expected: Expected;
  readonly #token: (() => Promise<string | null>) | null;
  readonly #settings: Settings;
  readonly #deps: ProveDeps;
  /** Whether an answer has named its tree: a server of an earlier version of Sluice does not. */
  #namesTree = false;
  #machine: { cpu: string; onnxruntime: string } | null = null;

  constructor(
    base: string,
    expected: Expected,
    token: (() => Promise<string | null>) | null,
    settings: Settings,
    deps: ProveDeps,
  ) {
    this.#base = base;
    this.#expected = expected;
    this.#token = token;
    this.#settings = settings;
    this.#deps = deps;
  }

  async round(times: number[]): Promise<boolean> {
    const { deployed, golden } = this.#expected;
    await this.#ask("GET", "/readyz", undefined, "not-ready", deployed.model.id);
    const { machine, engine } = await this.#identity();
    this.#machine = { cpu: machine?.cpu ?? "unknown", onnxruntime: engine?.onnxruntime ?? "unknown" };
    const exact = machine?.cpu === golden.machine.cpu && engine?.onnxruntime === golden.machine.onnxruntime;
    for (let i = 0; i < golden.rows.length; i += 1) await this.#predict(i, exact);
    await this.#candidate();
    for (let i = 0; i < this.#settings.probes; i += 1) {
      // Where answers do not name their tree, the app is asked for it each time.
      if (!this.#namesTree) await this.#identity();
      times.push(await this.#predict(i % golden.rows.length, exact));
    }
    const p50 = quantile(times, 0.5);
    if (p50 > this.#settings["max-p50-ms"])
      throw new ProbeFailure(
        "slow",
        `the median prediction takes ${p50.toFixed(0)} ms, more than ${this.#settings["max-p50-ms"]} ms`,
      );
    return exact;
  }

  /** /model/info, which must be of our commit and our weights. */
  async #identity(): Promise<z.infer<typeof infoSchema>> {
    const { model, source, verdict } = this.#expected.deployed;
    const parsed = infoSchema.safeParse(await this.#ask("GET", "/model/info", undefined, "not-ready"));
    if (!parsed.success)
      throw new ProbeFailure(
        "wrong-app",
        `/model/info is not what Sluice's server answers: ${parsed.error.issues[0]?.path.join(".")} ${parsed.error.issues[0]?.message}`,
      );
    const info = parsed.data;
    if (info.artifact.sha256 !== model.sha256)
      throw new ProbeFailure(
        "wrong-weights",
        `the Space serves weights with sha256 ${info.artifact.sha256.slice(0, 12)}…, not ${model.sha256.slice(0, 12)}…`,
      );
    if (info.id !== model.id || info.version !== model.version)
      throw new ProbeFailure(
        "wrong-model",
        `the Space serves ${info.id} ${info.version}, not ${model.id} ${model.version}`,
      );
    if (info.deployment.source.commit !== source.commit || info.deployment.verdict.sha256 !== verdict.sha256)
      throw new ProbeFailure(
        "wrong-revision",
        `the Space was made from commit ${info.deployment.source.commit?.slice(0, 7) ?? "unknown"}, not ${source.commit?.slice(0, 7) ?? "unknown"}`,
      );
    return info;
  }

  /** A candidate that is rolled out beside the version must answer as it was measured, before it gets any traffic. */
  async #candidate(): Promise<void> {
    const { candidate, deployed } = this.#expected;
    if (candidate === undefined) return;
    const { id } = deployed.model;
    const parsed = rolloutStatus.safeParse(await this.#ask("GET", `/models/${id}/rollout`, undefined, "wrong-app"));
    if (!parsed.success)
      throw new ProbeFailure("wrong-app", `/models/${id}/rollout is not what Sluice's server answers`);
    const { version, state, reason } = parsed.data.candidate;
    if (state === "loading") throw new ProbeFailure("not-ready", `the candidate ${id} ${version} is being loaded`);
    if (state !== "ready")
      throw new ProbeFailure(
        "wrong-candidate",
        `the candidate ${id} ${version} is ${state}: ${reason ?? "it has ended"}`,
      );
    const { rows, machine } = candidate.golden;
    for (const [i, { row, heads, reasons }] of rows.entries()) {
      const headers = { [ARM_HEADER]: "candidate", [CONTROL_HEADER]: candidate.key };
      const answer = (await this.#ask("POST", "/predict", row, "wrong-answers", undefined, headers)) as {
        version?: string;
        heads?: unknown;
        reasons?: unknown;
      };
      const isSame = machine.cpu === this.#machine?.cpu && machine.onnxruntime === this.#machine.onnxruntime;
      const difference =
        (answer.version === candidate.version ? null : `the version is ${answer.version}, not ${candidate.version}`) ??
        differenceOf(heads, answer.heads, isSame ? 0 : this.#settings.tolerance) ??
        differenceOf(reasons ?? null, answer.reasons ?? null, 0, "reasons");
      if (difference !== null)
        throw new ProbeFailure("wrong-answers", `candidate, golden row ${i + 1} of ${rows.length}: ${difference}`);
    }
  }

  /** Asks for one golden row and compares the answer. @returns the round trip in milliseconds, connecting included */
  async #predict(index: number, exact: boolean): Promise<number> {
    const { rows } = this.#expected.golden;
    const { row, heads, reasons } = rows[index]!;
    const before = this.#deps.monotonic();
    const answer = (await this.#ask("POST", "/predict", row, "wrong-answers")) as {
      heads?: unknown;
      reasons?: unknown;
    };
    const took = this.#deps.monotonic() - before;
    const difference =
      differenceOf(heads, answer.heads, exact ? 0 : this.#settings.tolerance) ??
      differenceOf(reasons ?? null, answer.reasons ?? null, 0, "reasons");
    if (difference !== null)
      throw new ProbeFailure("wrong-answers", `golden row ${index + 1} of ${rows.length}: ${difference}`);
    return took;
  }

  async #ask(
    method: "GET" | "POST",
    path: string,
    body: unknown,
    refusal: string,
    model?: string,
    // A roll-out that goes on beside what is proved must not answer for it.
    more: Record<string, string> = { [ARM_HEADER]: "baseline" },
  ): Promise<unknown> {
    try {
      const { said, headers } = await this.#deps.http.jsonReply<unknown>({
        method,
        url: `${this.#base}${path}`,
        repeatable: false,
        ownConnection: true,
        ...(this.#token === null ? {} : { token: this.#token }),
        ...(body === undefined
          ? {}
          : {
              body: JSON.stringify(body),
              headers: { "content-type": "application/json", accept: `${STANDARD_ANSWER}, application/json`, ...more },
            }),
      });
      this.#requireTree(path, headers.get(TREE_HEADER));
      return said;
    } catch (error) {
      if (!(error instanceof HttpRefusal)) throw error;
      const { status, retryAfterMs } = error;
      // A server that reports its model as broken has given up on it, so waiting is useless.
      const broken =
        model !== undefined &&
        (error.said as { models?: Record<string, unknown> } | null)?.models?.[model] === "broken";
      if (broken) throw new ProbeFailure("wrong-start", `${error.message}, and ${model} is broken there`);
      // A refusal of a golden row counts as an answer. An overloaded or starting app has not answered yet.
      throw new ProbeFailure(status >= 500 || status === 429 ? "not-ready" : refusal, error.message, retryAfterMs);
    }
  }

  /** Every answer must be of our tree. One of another tree may be a replica that is about to go. */
  #requireTree(path: string, tree: string | null): void {
    const { treeDigest } = this.#expected;
    if (tree === treeDigest) this.#namesTree = true;
    else if (tree !== null || this.#namesTree)
      throw new ProbeFailure(
        "mixed-revisions",
        `${path} was answered by ${tree === null ? "an app that does not name its tree" : `the tree ${tree.slice(0, 12)}`}, not by ${treeDigest.slice(0, 12)}: two revisions answer at this address`,
      );
  }
}
