import { ConfigurationError } from "../errors.ts";

/**
 * The address of a feature store in Redis, which stands in the environment and never in a file.
 * @throws ConfigurationError `feature-store-address` where the variable holds nothing
 */
export function redisAddress(variable: string, env: Readonly<Record<string, string | undefined>>): string {
  const url = env[variable];
  if (url !== undefined && url !== "") return url;
  throw new ConfigurationError({
    code: "feature-store-address",
    place: variable,
    problem: "no address of the feature store",
    expected: `the environment variable ${variable}`,
    received: "nothing",
    example: `${variable}=redis://127.0.0.1:6379`,
  });
}
