import type { Configuration } from "../../eval/schema/configuration.ts";
import { ask, broken, ok, warning, type DoctorDeps, type Finding } from "./finding.ts";

const endpointOf = (env: NodeJS.ProcessEnv) => (env["HF_ENDPOINT"] || "https://huggingface.co").replace(/\/+$/, "");

export async function hubToken({ env, fetch: transport }: DoctorDeps): Promise<Finding> {
  const name = "HF_TOKEN";
  const token = env[name];
  if (!token)
    return warning(
      name,
      "is not set",
      "deploying from here and private models need it; a workflow does better with a trusted publisher (docs/deploy.md)",
    );
  const answer = await ask(transport, `${endpointOf(env)}/api/whoami-v2`, { token });
  if (!answer.reached) return warning(name, `was not checked: ${answer.why}`, "try again with a network");
  if (answer.status === 401)
    return broken(
      name,
      "the Hub does not know it: wrong, expired or revoked",
      "make a new one at https://huggingface.co/settings/tokens",
    );
  if (answer.status >= 400) return warning(name, `the Hub answers ${answer.status}`, "try again later");
  const { name: who = "?", auth } = (answer.body ?? {}) as {
    name?: string;
    auth?: { accessToken?: { role?: string } };
  };
  const role = auth?.accessToken?.role ?? "unknown";
  return role === "read"
    ? warning(name, `${who}: it may only read`, "deploying from here takes a token that may write to the Spaces")
    : ok(name, `${who}, ${role}`);
}

type Space = { sdk?: string; runtime?: { stage?: string } };

/** Every Space that sluice.yaml names. */
export async function spaces(
  { env, fetch: transport }: DoctorDeps,
  { spaces: named }: Configuration,
): Promise<Finding[]> {
  const wanted = Object.entries(named).flatMap(([model, stages]) =>
    Object.entries(stages).map(([stage, space]) => ({ name: `${model} ${stage}`, space })),
  );
  if (wanted.length === 0)
    return [
      warning(
        "spaces",
        "sluice.yaml names none",
        "deploying needs one: spaces: {MODEL: {production: NS/NAME}}, or --space",
      ),
    ];
  return Promise.all(
    wanted.map(async ({ name, space }) => {
      const answer = await ask(transport, `${endpointOf(env)}/api/spaces/${space}`, { token: env["HF_TOKEN"] || null });
      if (!answer.reached) return warning(name, `${space} was not checked: ${answer.why}`, "try again with a network");
      // The Hub answers the same for a private Space and for one that does not exist.
      if (answer.status === 401 || answer.status === 404)
        return broken(
          name,
          `there is no Space ${space}, or the token may not see it`,
          "create it (SDK Docker; deploying never creates one), or set HF_TOKEN of somebody who may see it",
        );
      if (answer.status >= 400)
        return warning(name, `the Hub answers ${answer.status} for ${space}`, "try again later");
      const { sdk = "unknown", runtime } = (answer.body ?? {}) as Space;
      if (sdk !== "docker")
        return warning(
          name,
          `${space} has SDK ${sdk}`,
          "the first deployment makes it a Docker Space; where that is not wanted, name another",
        );
      const stage = runtime?.stage ?? "UNKNOWN";
      return /ERROR|PAUSED|NO_APP_FILE/.test(stage)
        ? warning(
            name,
            `${space} is ${stage}`,
            stage === "PAUSED"
              ? "its owner can unpause it"
              : "a deployment that passes mends it; its page has the logs",
          )
        : ok(name, `${space}, ${stage}`);
    }),
  );
}
