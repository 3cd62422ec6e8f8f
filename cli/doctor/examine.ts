import { redactor } from "../../bot/telegram/redact.ts";
import { broken, inWords, type DoctorDeps, type Finding } from "./finding.ts";
import { githubToken } from "./github.ts";
import { hubToken, spaces } from "./hub.ts";
import { git, model, nodeVersion, readConfiguration, runtime } from "./local.ts";
import { workflows } from "./workflows.ts";
import { telegram } from "./telegram.ts";
import { sluiceCommand } from "../../models/core/invocation.ts";

/** Time limit of each examination. */
const maxMs = 30_000;

const secretNames = [
  "GITHUB_TOKEN",
  "HF_TOKEN",
  "TELEGRAM_BOT_TOKEN",
  "SLUICE_BOT_KEY",
  "TELEGRAM_WEBHOOK_SECRET",
  "GITHUB_WEBHOOK_SECRET",
] as const;

/**
 * Examines everything in parallel. A service that cannot be reached becomes a finding. No finding contains a secret.
 */
export async function examine(deps: DoctorDeps): Promise<Finding[]> {
  const { finding, value } = readConfiguration(deps);
  const checks: [string, () => Promise<Finding[]> | Finding[] | Promise<Finding> | Finding][] = [
    ["node", nodeVersion],
    ["git", () => git(deps)],
    ["onnxruntime", runtime],
    [deps.config, () => finding],
    ...(value?.models ?? []).map((folder): [string, () => Promise<Finding[]>] => [folder, () => model(deps, folder)]),
    ["workflows", () => workflows(deps)],
    ["GITHUB_TOKEN", () => githubToken(deps)],
    ["HF_TOKEN", () => hubToken(deps)],
    ...(value === null ? [] : [["spaces", () => spaces(deps, value)] as [string, () => Promise<Finding[]>]]),
    ["telegram", () => telegram(deps)],
  ];
  const hiders = secretNames.flatMap((name) => (deps.env[name] ? [redactor(deps.env[name])] : []));
  const hide = (text: string) =>
    hiders.reduce(
      (hidden, one) => one(hidden),
      secretNames.reduce((kept, name) => (deps.env[name] ? kept.replaceAll(deps.env[name], "[secret]") : kept), text),
    );
  const found = await Promise.all(
    checks.map(async ([name, check]) => within(name, async () => [await check()].flat())),
  );
  return found.flat().map((one) => ({
    ...one,
    name: hide(one.name),
    says: hide(one.says),
    fix: one.fix === null ? null : hide(one.fix),
  }));
}

async function within(name: string, check: () => Promise<Finding[]>): Promise<Finding[]> {
  const late = Promise.withResolvers<Finding[]>();
  const timer = setTimeout(() => {
    late.resolve([
      broken(
        name,
        `it did not end within ${maxMs / 1000} s`,
        "something hangs: look at the disk, the proxy and the network",
      ),
    ]);
  }, maxMs);
  try {
    return await Promise.race([check(), late.promise]);
  } catch (error) {
    return [broken(name, inWords(error), `SLUICE_DEBUG=1 ${sluiceCommand()} doctor shows more`)];
  } finally {
    clearTimeout(timer);
  }
}
