import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { serveUntilSignal } from "./server/run.ts";
import { settingsFromEnvironment, settingsSchema } from "./server/settings/settings.ts";

// Entry point of the Space's image, started in the image's root folder. It serves every folder of models/, with the
// page and the record of the deployment beside them. SLUICE_* variables of the Space override these settings.
// The deployed model is the default. Remote models that were deployed with it are served beside it.
const deployed = existsSync("deployment.json")
  ? (JSON.parse(readFileSync("deployment.json", "utf8")) as { model?: { id?: string } }).model?.id
  : undefined;
const settings = settingsSchema.parse({
  uiDir: "ui",
  deploymentFile: "deployment.json",
  watch: false,
  ...(existsSync("rollout.json") ? { rolloutFile: "rollout.json" } : {}),
  ...(deployed === undefined ? {} : { defaultModel: deployed }),
  ...settingsFromEnvironment(process.env),
});
const dirs = readdirSync("models")
  .sort()
  .map((name) => join("models", name));
await serveUntilSignal(dirs, settings, { env: process.env, fetch }, () => {});
process.exit(0);
