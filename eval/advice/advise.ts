import { join } from "node:path";
import { ConfigurationError } from "../../models/core/errors.ts";
import { placeIn, type LoadedRemote } from "../../models/core/predictor/load.ts";
import type { AdviceCheck } from "../../models/remote/advice.ts";
import type { RemotePrices } from "../../models/remote/manifest.ts";
import { remoteRowSchema } from "../../models/remote/prompt.ts";
import { formatOf, openReader } from "../dataset/formats/open.ts";
import type { GateEvent } from "../gate/context.ts";
import type { AdviceResult, ModelAdvice } from "../schema/advice.ts";
import { quantileOfSorted } from "../stats/quantile.ts";
import { wilson } from "../stats/wilson.ts";
import { keeps, ruleOf, type RemoteAnswer } from "./check-answer.ts";

type Prompt = Record<string, unknown> & { id: string };
/**
 * Asks a remote model about one row. Resolves with the answer or with the reason why there is none; neither rejects.
 */
export type AskRemote = (row: Readonly<Record<string, unknown>>) => Promise<RemoteAnswer>;
/** A function that asks the model, or what has to be configured first. */
type RemoteAccess = { ask: AskRemote; close(): Promise<void> } | { missing: string };
export type OpenRemote = (loaded: LoadedRemote) => Promise<RemoteAccess>;

export type Advised = { advice: ModelAdvice; answers: { prompt: Prompt; answer: RemoteAnswer }[] };

/**
 * Asks a remote model the prompts of its manifest, as many at a time as the manifest allows, and counts the answers
 * that keep each of its checks. Failures of the provider are counted, not thrown.
 *
 * @throws ConfigurationError for prompts that cannot be used; EvaluationError for a file that is missing
 */
export async function adviseModel(
  loaded: LoadedRemote,
  open: OpenRemote,
  onEvent: (event: GateEvent) => void,
): Promise<Advised> {
  const { manifest } = loaded;
  const unmeasured = {
    model: { id: manifest.id, version: manifest.version, remote: remoteNames(manifest) },
    prompts: 0,
    answered: 0,
    failures: {},
    checks: [],
    firstWordsMs: null,
    answerMs: null,
    tokensPerAnswer: null,
    costPerThousand: null,
  };
  if (manifest.advice === undefined)
    return {
      advice: { ...unmeasured, state: "no-checks", reason: "its manifest has no `advice`: there is nothing to ask" },
      answers: [],
    };
  const { checks, level } = manifest.advice;
  const prompts = await readPrompts(loaded, manifest.advice.prompts);
  const access = await open(loaded);
  if ("missing" in access) {
    return {
      advice: {
        ...unmeasured,
        state: "not-configured",
        reason: access.missing,
        prompts: prompts.length,
        checks: checks.map((check) => result(check, [], level)),
      },
      answers: [],
    };
  }
  const answers = new Array<{ prompt: Prompt; answer: RemoteAnswer }>(prompts.length);
  try {
    let next = 0;
    let done = 0;
    const lane = async () => {
      while (next < prompts.length) {
        const i = next++;
        const prompt = prompts[i]!;
        answers[i] = { prompt, answer: await access.ask(prompt) };
        onEvent({ kind: "progress", model: manifest.id, stage: "asking", done: ++done, total: prompts.length });
      }
    };
    onEvent({
      kind: "stage",
      model: manifest.id,
      stage: `asking ${prompts.length} prompts of ${remoteNames(manifest)}`,
    });
    await Promise.all(Array.from({ length: Math.min(prompts.length, manifest.limits.concurrency) }, lane));
  } finally {
    await access.close();
  }
  const given = answers.flatMap(({ answer }) => (answer.ok ? [answer] : []));
  const failures: Record<string, number> = {};
  for (const { answer } of answers) if (!answer.ok) failures[answer.reason] = (failures[answer.reason] ?? 0) + 1;
  const counted = given.flatMap(({ usage }) => (usage === null ? [] : [usage]));
  const tokens =
    counted.length === 0
      ? null
      : {
          input: mean(counted.map(({ inputTokens }) => inputTokens)),
          output: mean(counted.map(({ outputTokens }) => outputTokens)),
        };
  return {
    answers,
    advice: {
      ...unmeasured,
      state: "measured",
      reason: "",
      prompts: prompts.length,
      answered: given.length,
      failures,
      checks: checks.map((check) =>
        result(
          check,
          answers.map(({ prompt, answer }) => ({ id: prompt.id, kept: keeps(check, answer, prompt) })),
          level,
        ),
      ),
      firstWordsMs: times(given.map(({ firstWordsMs }) => firstWordsMs)),
      answerMs: times(given.map(({ answerMs }) => answerMs)),
      tokensPerAnswer: tokens,
      costPerThousand: costPerThousand(manifest.prices, tokens),
    },
  };
}

/**
 * One check over all prompts: the share of answers that keep it, with Wilson's interval, and how that compares with
 * `atLeast`.
 */
export function result(
  check: AdviceCheck,
  outcomes: readonly { id: string; kept: boolean | null }[],
  level: number,
): AdviceResult {
  const answered = outcomes.filter(({ kept }) => kept !== null);
  const kept = answered.filter((one) => one.kept === true).length;
  const common = {
    kind: check.kind,
    rule: ruleOf(check),
    kept,
    n: answered.length,
    atLeast: check.atLeast,
    broken: answered.filter((one) => one.kept === false).map(({ id }) => id),
  };
  if (answered.length === 0) return { ...common, interval: null, word: "not measured" };
  const { low, high } = wilson(kept, answered.length, level);
  return {
    ...common,
    interval: { low, high, level, method: "Wilson" },
    word: low >= check.atLeast ? "holds" : high < check.atLeast ? "falls short" : "open",
  };
}

/**
 * Reads the prompts and checks them against the model's inputs: a row that the model would refuse says nothing about
 * the model.
 */
async function readPrompts(loaded: LoadedRemote, path: string): Promise<Prompt[]> {
  const place = placeIn(loaded, ["advice", "prompts"]);
  const wrong = (problem: string, received: string) =>
    new ConfigurationError({
      code: "advice-prompts",
      place,
      problem,
      expected: `rows of the model, one JSON object a line, each with an id of its own`,
      received,
      example: '{"id": "exam", "text": "I passed my exam", "mentions": ["exam"]}',
    });
  const file = join(loaded.dir, path);
  const { readings } = await openReader(file, path, await formatOf(file, path, "jsonl"), new Map());
  const schema = remoteRowSchema(loaded.manifest);
  const prompts: Prompt[] = [];
  const ids = new Set<string>();
  for await (const reading of readings) {
    if (reading.kind === "malformed")
      throw wrong("a prompt cannot be read", `${path}:${reading.at}: ${reading.reason}`);
    const { id } = reading.fields;
    const issue = schema.safeParse(reading.fields).error?.issues[0];
    if (issue !== undefined)
      throw wrong(
        "a prompt is no row of this model",
        `${path}:${reading.at}: ${issue.path.join(".")}: ${issue.message}`,
      );
    if (typeof id !== "string" || id === "" || ids.has(id))
      throw wrong("a prompt has no id of its own", `${path}:${reading.at}: ${JSON.stringify(id) ?? "nothing"}`);
    ids.add(id);
    prompts.push({ ...reading.fields, id });
  }
  if (prompts.length === 0) throw wrong("there is no prompt", `${path} without a row`);
  return prompts;
}

function costPerThousand(
  prices: RemotePrices | undefined,
  tokens: ModelAdvice["tokensPerAnswer"],
): ModelAdvice["costPerThousand"] {
  if (prices === undefined) return null;
  if ("perRequest" in prices) return { amount: prices.perRequest * 1000, currency: prices.currency };
  return tokens === null
    ? null
    : {
        amount: (tokens.input * prices.inputPerMillionTokens + tokens.output * prices.outputPerMillionTokens) / 1000,
        currency: prices.currency,
      };
}

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

function times(ms: readonly number[]): ModelAdvice["answerMs"] {
  if (ms.length === 0) return null;
  const sorted = Float64Array.from(ms).sort();
  return { p50: quantileOfSorted(sorted, 0.5), p95: quantileOfSorted(sorted, 0.95) };
}

/** What answers for a model: one model at a provider, or those of all backends. */
function remoteNames(manifest: LoadedRemote["manifest"]): string {
  return manifest.backend === "fallback" ? manifest.fallback.map(({ model }) => model).join(", ") : manifest.model;
}
