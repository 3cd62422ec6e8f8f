import { z } from "zod";
import { quantile } from "../../eval/stats/quantile.ts";
import { STANDARD_ANSWER } from "../../models/core/media-type.ts";
import type { Deployed, Golden } from "../bundle/deployed.ts";
import { DeployFailure } from "../hub/failure.ts";
import { HttpRefusal, type Http, type HttpDeps } from "../hub/http.ts";
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

type ProveDeps = HttpDeps & { http: Http; now: () => number; onRound: (text: string) => void };

/** A mismatch that occurs this often in a row is treated as permanent. */
const maxConsecutiveMismatches = 3;

/**
 * Proves that the running revision is the wanted one and answers as it did when it was measured. Checks readiness,
 * identity (our commit, our weights), golden answers and latency, in several consecutive rounds.
 *
 * @param baseUrl of the Space's app
 * @param token sent only to a private Space
 * @throws DeployFailure naming the check that failed last
 */
export async function prove(
  baseUrl: string,
  deployed: Deployed,
  golden: Golden,
  token: (() => Promise<string | null>) | null,
  settings: Settings,
  deps: ProveDeps,
): Promise<Proof> {
  const deadline = deps.now() + settings["prove-timeout"];
  const probe = new Probe(baseUrl, token, settings, deps);
  let rounds = 0;
  let predictions = 0;
  let exact = false;
  const times: number[] = [];
  let wrong = { code: "", count: 0 };
  for (;;) {
    try {
      exact = await probe.round(deployed, golden, times);
      predictions = times.length;
      rounds += 1;
      wrong = { code: "", count: 0 };
      deps.onRound(
        `proof ${rounds} of ${settings.passes}: ready, ${deployed.model.id} ${deployed.model.version}, ${golden.rows.length} golden answers${exact ? ", exactly" : ""}, p50 ${quantile(times, 0.5).toFixed(0)} ms`,
      );
      if (rounds >= settings.passes)
        return {
          rounds,
          predictions,
          p50Ms: quantile(times, 0.5),
          exact,
          commit: deployed.source.commit,
          sha256: deployed.model.sha256,
        };
    } catch (error) {
      deps.signal.throwIfAborted();
      const failure =
        error instanceof DeployFailure
          ? error
          : new DeployFailure("unreachable", `the Space did not answer: ${(error as Error).message}`, { cause: error });
      wrong = { code: failure.code, count: wrong.code === failure.code ? wrong.count + 1 : 1 };
      rounds = 0;
      times.length = 0;
      deps.onRound(`not proved: ${failure.message}`);
      const definite = /^(wrong|slow)/.test(failure.code) && wrong.count >= maxConsecutiveMismatches;
      if (definite || deps.now() >= deadline) throw failure;
    }
    await deps.sleep(settings["poll-interval"] * (0.4 + 0.2 * deps.random()), deps.signal);
  }
}

class Probe {
  readonly #base: string;
  readonly #token: (() => Promise<string | null>) | null;
  readonly #settings: Settings;
  readonly #deps: ProveDeps;

  constructor(base: string, token: (() => Promise<string | null>) | null, settings: Settings, deps: ProveDeps) {
    this.#base = base;
    this.#token = token;
    this.#settings = settings;
    this.#deps = deps;
  }

  async round(deployed: Deployed, golden: Golden, times: number[]): Promise<boolean> {
    const { model, source, verdict } = deployed;
    await this.#ask("GET", "/readyz", undefined, "not-ready", model.id);
    const parsed = infoSchema.safeParse(await this.#ask("GET", "/model/info", undefined, "not-ready"));
    if (!parsed.success)
      throw new DeployFailure(
        "wrong-app",
        `/model/info is not what Sluice's server answers: ${parsed.error.issues[0]?.path.join(".")} ${parsed.error.issues[0]?.message}`,
      );
    const info = parsed.data;
    if (info.artifact.sha256 !== model.sha256)
      throw new DeployFailure(
        "wrong-weights",
        `the Space serves weights with sha256 ${info.artifact.sha256.slice(0, 12)}…, not ${model.sha256.slice(0, 12)}…`,
      );
    if (info.id !== model.id || info.version !== model.version)
      throw new DeployFailure(
        "wrong-model",
        `the Space serves ${info.id} ${info.version}, not ${model.id} ${model.version}`,
      );
    if (info.deployment.source.commit !== source.commit || info.deployment.verdict.sha256 !== verdict.sha256)
      throw new DeployFailure(
        "wrong-revision",
        `the Space was made from commit ${info.deployment.source.commit?.slice(0, 7) ?? "unknown"}, not ${source.commit?.slice(0, 7) ?? "unknown"}`,
      );

    const exact = info.machine?.cpu === golden.machine.cpu && info.engine?.onnxruntime === golden.machine.onnxruntime;
    for (const [i, { row, heads }] of golden.rows.entries()) {
      const answer = (await this.#ask("POST", "/predict", row, "wrong-answers")) as { heads?: unknown };
      const difference = differenceOf(heads, answer.heads, exact ? 0 : this.#settings.tolerance);
      if (difference !== null)
        throw new DeployFailure("wrong-answers", `golden row ${i + 1} of ${golden.rows.length}: ${difference}`);
    }
    for (let i = 0; i < this.#settings.probes; i += 1) {
      const before = this.#deps.now();
      await this.#ask("POST", "/predict", golden.rows[i % golden.rows.length]!.row, "wrong-answers");
      times.push(this.#deps.now() - before);
    }
    const p50 = quantile(times, 0.5);
    if (p50 > this.#settings["max-p50-ms"])
      throw new DeployFailure(
        "slow",
        `the median prediction takes ${p50.toFixed(0)} ms, more than ${this.#settings["max-p50-ms"]} ms`,
      );
    return exact;
  }

  async #ask(method: "GET" | "POST", path: string, body: unknown, refusal: string, model?: string): Promise<unknown> {
    try {
      return await this.#deps.http.json({
        method,
        url: `${this.#base}${path}`,
        repeatable: false,
        ...(this.#token === null ? {} : { token: this.#token }),
        ...(body === undefined
          ? {}
          : {
              body: JSON.stringify(body),
              headers: { "content-type": "application/json", accept: `${STANDARD_ANSWER}, application/json` },
            }),
      });
    } catch (error) {
      if (!(error instanceof HttpRefusal)) throw error;
      const { status } = error;
      // A server that reports its model as broken has given up on it, so waiting is useless.
      const broken =
        model !== undefined &&
        (error.said as { models?: Record<string, unknown> } | null)?.models?.[model] === "broken";
      if (broken) throw new DeployFailure("wrong-start", `${error.message}, and ${model} is broken there`);
      // A refusal of a golden row counts as an answer. An overloaded or starting app has not answered yet.
      throw new DeployFailure(status >= 500 || status === 429 ? "not-ready" : refusal, (error as Error).message);
    }
  }
}
