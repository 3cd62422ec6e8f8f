import { readdirSync } from "node:fs";
import { join } from "node:path";
import { serveUntilSignal } from "./server/run.ts";
import { settingsFromEnvironment, settingsSchema } from "./server/settings.ts";

// What the Space's image starts, in the root of its tree: every folder of models/, with the page and the record of the
// deployment beside them. SLUICE_* variables of the Space may say otherwise.
const settings = settingsSchema.parse({ uiDir: "ui", deploymentFile: "deployment.json", watch: false, ...settingsFromEnvironment(process.env) });
const dirs = readdirSync("models").sort().map((name) => join("models", name));
await serveUntilSignal(dirs, settings, { env: process.env, fetch }, () => {});
process.exit(0);
