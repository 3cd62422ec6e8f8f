import { z } from "zod";
import type { CellType } from "../eval/dataset/formats/cells.ts";
import { schemaCells } from "../eval/dataset/formats/schema-cells.ts";
import { ConfigurationError, EvaluationError } from "../models/core/errors.ts";
import { request, type ClientDeps, type Connection, type Failure } from "./client.ts";
import { stepAfter, type Policy } from "./policy.ts";
import { KEY_VARIABLE } from "./target.ts";

const cardSchema = z.object({
  id: z.string(),
  state: z.string(),
  version: z.string(),
  heads: z
    .array(
      z.object({
        name: z.string(),
        kind: z.enum(["classification", "regression", "ranking", "series", "spans", "text"]),
        flag: z.object({ observed: z.string() }).optional(),
      }),
    )
    .min(1),
  input: z.object({ schema: z.object({ properties: z.record(z.string(), z.unknown()).default({}) }) }),
  artifact: z.object({ sha256: z.string(), preprocessingSha256: z.string().optional() }).optional(),
  rules: z.object({ sha256: z.string() }).optional(),
  reasons: z.record(z.string(), z.unknown()).optional(),
  remote: z.object({ model: z.string() }).optional(),
  limits: z.object({ maxRows: z.number(), maxBodyBytes: z.number() }),
});

/** What a run needs to know about the model. `content` identifies its content, because a version alone may not. */
export type Card = {
  id: string;
  version: string;
  content: string;
  heads: z.infer<typeof cardSchema>["heads"];
  /** Whether rules beside the model, or the model, may give reasons. */
  reasons: boolean;
  /** Field → how a CSV cell of that field is read. */
  fields: Map<string, CellType>;
  limits: { maxRows: number; maxBodyBytes: number };
};

export type CardDeps = ClientDeps & {
  random: () => number;
  sleep: (ms: number) => Promise<void>;
  note: (text: string) => void;
};

/** A server that answers "loading" is healthy; it may have to download the weights first. */
const LOADS_WITHIN_MS = 300_000;
const LOADING_POLL_MS = 200;

/**
 * Reads GET /models/{id}. Repeats it, as the policy allows, while the server or the model is not up.
 *
 * @param model null for the server's default model
 * @throws ConfigurationError when there is no such model or server, or access is refused; EvaluationError when it does
 *   not come up
 */
export async function readCard(
  connection: Connection,
  model: string | null,
  policy: Policy,
  deps: CardDeps,
): Promise<Card> {
  const path = model === null ? "/model/info" : `/models/${encodeURIComponent(model)}`;
  const place = connection.origin + path;
  const beganMs = deps.nowMs();
  for (let attempt = 1; ;) {
    const reply = await request(connection, path, null, deps);
    if (reply.ok) {
      if ((reply.json as { state?: unknown } | null)?.state !== "loading" || deps.nowMs() - beganMs > LOADS_WITHIN_MS)
        return cardOf(reply.json, place);
      await deps.sleep(LOADING_POLL_MS);
      continue;
    }
    const failure = reply;
    const step = stepAfter(failure, 1, attempt, policy, deps.random);
    if (step.do === "stop" || (step.do === "fail" && failure.status !== null && failure.status < 500))
      throw await stopError(failure, connection, place, deps);
    if (step.do === "fail")
      throw new EvaluationError({
        code: "predict-unreachable",
        place,
        problem: failure.detail,
        expected: "the model's card",
        received: `${failure.code}, ${attempt} ${attempt === 1 ? "time" : "times"}`,
        hint: "is the Space running? its address may be given as --url https://…",
      });
    if (step.waitMs >= 1000) deps.note(`${place}: ${failure.detail}; again in ${(step.waitMs / 1000).toFixed(1)} s`);
    await deps.sleep(step.waitMs);
    attempt += 1;
  }
}

function cardOf(json: unknown, place: string): Card {
  const { state, error } = (json ?? {}) as { state?: unknown; error?: { problem?: string } };
  if (typeof state === "string" && state !== "ready")
    throw new EvaluationError({
      code: "predict-model-state",
      place,
      problem: `the model is ${state}: ${error?.problem ?? "no reason given"}`,
      expected: "state ready",
      received: state,
    });
  const parsed = cardSchema.safeParse(json);
  if (!parsed.success)
    throw new ConfigurationError({
      code: "predict-card",
      place,
      problem: `not the card of a model: ${parsed.error.issues[0]!.path.join(".")}: ${parsed.error.issues[0]!.message}`,
      expected: "a server of `sluice serve`",
    });
  const { id, version, heads, input, artifact, rules, reasons, remote, limits } = parsed.data;
  const fields = schemaCells(input.schema.properties);
  return {
    id,
    version,
    heads,
    reasons: rules !== undefined || reasons !== undefined,
    fields,
    limits,
    content:
      artifact === undefined
        ? (remote?.model ?? "unknown")
        : [artifact.sha256, artifact.preprocessingSha256, rules?.sha256, reasons && JSON.stringify(reasons)]
            .filter(Boolean)
            .join(" "),
  };
}

/** The refusal that ends a run, in the words of who has to mend it. */
export async function stopError(
  failure: Failure,
  connection: Connection,
  place: string,
  deps: ClientDeps,
): Promise<ConfigurationError> {
  const received = `${failure.status} ${failure.code}`;
  if (failure.status === 401 || failure.status === 403)
    return new ConfigurationError({
      code: "predict-key",
      place: KEY_VARIABLE,
      problem: `the server refuses: ${failure.detail}`,
      expected: `a key that the server knows, in ${KEY_VARIABLE}`,
      received,
    });
  if (failure.status === 404) {
    const models = await request(connection, "/models", null, deps);
    const ids = models.ok
      ? ((models.json as { models?: { id?: unknown }[] } | null)?.models ?? []).map(({ id }) => String(id))
      : [];
    return new ConfigurationError({
      code: "predict-model",
      place,
      problem: failure.detail,
      expected: ids.length === 0 ? "a server of `sluice serve` that has the model" : `one of ${ids.join(", ")}`,
      received,
    });
  }
  return new ConfigurationError({
    code: "predict-url",
    place: "--url",
    problem: failure.detail,
    expected: "the address that answers itself",
    received,
  });
}
