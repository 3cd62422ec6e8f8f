import type { LookupStep } from "../lookup/schema.ts";
import type { FeatureStore } from "../lookup/store.ts";
import { openTable } from "./file.ts";
import { redisStore } from "./redis.ts";

/** Opens the store that a lookup step names. One over a network connects when it is first asked. */
export async function openStore(
  { store }: LookupStep,
  dir: string,
  cacheDir: string | null,
  env: Readonly<Record<string, string | undefined>>,
): Promise<FeatureStore> {
  return "path" in store ? openTable({ dir, ...store }, cacheDir) : redisStore(store.redis, env);
}
