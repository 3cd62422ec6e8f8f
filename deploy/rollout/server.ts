import { CONTROL_HEADER, controlKey, type RolloutPlan } from "../../models/core/rollout/plan.ts";
import { rolloutStatus, type RolloutCommand, type RolloutStatus } from "../../models/core/rollout/status.ts";
import { HttpRefusal, NoAnswer } from "../hub/http.ts";
import type { Context } from "../context.ts";

/** The Space's side of a roll-out, spoken to with its key. */
export type RolloutServer = {
  /** @returns words where it does not answer */
  status(): Promise<RolloutStatus | string>;
  /** @returns words where it refuses or does not answer */
  command(command: RolloutCommand): Promise<RolloutStatus | string>;
};

/** @param secret SLUICE_ROLLOUT_KEY */
export function rolloutServer(
  { http, space }: Context,
  url: string,
  plan: RolloutPlan,
  secret: string,
  isPrivate: boolean,
): RolloutServer {
  const headers = { [CONTROL_HEADER]: controlKey(secret, plan.id) };
  const ask = async (body: RolloutCommand | null): Promise<RolloutStatus | string> => {
    try {
      const said = await http.json<unknown>({
        method: body === null ? "GET" : "POST",
        url: `${url}/models/${plan.model}/rollout`,
        repeatable: body === null,
        headers: { ...headers, ...(body === null ? {} : { "content-type": "application/json" }) },
        ...(body === null ? {} : { body: JSON.stringify(body) }),
        ...(isPrivate ? { token: space.token } : {}),
      });
      const parsed = rolloutStatus.safeParse(said);
      return parsed.success ? parsed.data : "the Space's answer is not a roll-out's";
    } catch (error) {
      if (error instanceof HttpRefusal || error instanceof NoAnswer) return error.message;
      throw error;
    }
  };
  return { status: () => ask(null), command: ask };
}
