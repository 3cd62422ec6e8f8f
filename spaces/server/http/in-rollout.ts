import { ARM_HEADER, CONTROL_HEADER, VERSION_HEADER } from "../../../models/core/rollout/plan.ts";
import type { Arm } from "../rollout/units.ts";
import type { Rollout, Turn } from "../rollout/rollout.ts";
import { Refused } from "../scheduling/refused.ts";
import type { ServedModel } from "../serving/served-model.ts";
import type { Exchange, Serving } from "./context.ts";
import { keyOf } from "./keys.ts";
import { Problem } from "./problem.ts";

type Answering = (serving: Serving, model: ServedModel, exchange: Exchange, turn: Turn | null) => Promise<string>;

/**
 * Answers with the version that a roll-out assigns, and says in a header which that was. A candidate costs nobody an
 * answer: where it gives none the live version does, and that counts against the candidate.
 *
 * @throws as `answer`; Problem 400, 401 for a version that cannot be asked for
 */
export async function inRollout(
  serving: Serving,
  model: ServedModel,
  exchange: Exchange,
  answer: Answering,
): Promise<string> {
  const { rollout } = serving;
  if (rollout === null || rollout.model !== model.id) return answer(serving, model, exchange, null);
  const { response, headers, body } = exchange;
  const asked = askedArm(exchange, rollout);
  const turn = rollout.turn(model, { headers, apiKey: keyOf(headers) }, body, asked);
  if (asked === "candidate" && turn === null)
    throw new Problem(409, "no-candidate", "the roll-out has no candidate that could answer");
  const chosen = turn?.model ?? model;
  response.setHeader(VERSION_HEADER, chosen.version);
  if (turn === null) return answer(serving, chosen, exchange, null);
  try {
    return await answer(serving, chosen, exchange, turn);
  } catch (error) {
    const isClients = error instanceof Refused && error.reason === "cancelled";
    const isRows = error instanceof Problem && error.body.status < 500;
    if (!isClients && !isRows) turn.failed();
    const isLate = error instanceof Refused && error.reason === "deadline";
    if (turn.fallback === null || isClients || isLate) throw error;
    response.setHeader(VERSION_HEADER, turn.fallback.version);
    const instead = await answer(serving, turn.fallback, exchange, null);
    turn.failed();
    return instead;
  }
}

/** @throws Problem 400, 401 */
function askedArm({ headers }: Exchange, rollout: Rollout): Arm | null {
  const asked = headers[ARM_HEADER];
  if (asked === undefined || asked === "baseline") return asked ?? null;
  if (asked !== "candidate")
    throw new Problem(400, "bad-header", `${ARM_HEADER} is not a version of a roll-out`, {
      errors: [{ field: ARM_HEADER, problem: "not a version of a roll-out", expected: "baseline or candidate" }],
    });
  const key = headers[CONTROL_HEADER];
  if (typeof key !== "string" || !rollout.isControl(key))
    throw new Problem(401, "rollout-key", `the candidate answers by name only to whoever shows ${CONTROL_HEADER}`);
  return "candidate";
}
