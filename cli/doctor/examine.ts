import { redactor } from "../../bot/telegram/redact.ts";
import { broken, inWords, type DoctorEdges, type Finding } from "./finding.ts";
import { githubToken } from "./github.ts";
import { hubToken, spaces } from "./hub.ts";
import { git, model, nodeVersion, readConfiguration, runtime } from "./local.ts";
import { telegram } from "./telegram.ts";

/** Nothing is waited for longer than this, whatever it is. */
const longestMs = 30_000;

const secretNames = ["GITHUB_TOKEN", "HF_TOKEN", "TELEGRAM_BOT_TOKEN", "SLUICE_BOT_KEY", "TELEGRAM_WEBHOOK_SECRET", "GITHUB_WEBHOOK_SECRET"] as const;

/** Looks at everything, at once; what cannot be reached says so. No finding holds a secret. */
export async function examine(edges: DoctorEdges): Promise<Finding[]> {
  const { finding, value } = readConfiguration(edges);
  const checks: [string, () => Promise<Finding[]> | Finding[] | Promise<Finding> | Finding][] = [
    ["node", nodeVersion], ["git", () => git(edges)], ["onnxruntime", runtime], [edges.config, () => finding],
    ...(value?.models ?? []).map((folder): [string, () => Promise<Finding[]>] => [folder, () => model(edges, folder)]),
    ["GITHUB_TOKEN", () => githubToken(edges)], ["HF_TOKEN", () => hubToken(edges)],
    ...(value === null ? [] : [["spaces", () => spaces(edges, value)] as [string, () => Promise<Finding[]>]]),
    ["telegram", () => telegram(edges)],
  ];
  const hiders = secretNames.flatMap((name) => (edges.env[name] ? [redactor(edges.env[name])] : []));
  const hide = (text: string) => hiders.reduce((hidden, one) => one(hidden), secretNames.reduce((kept, name) => (edges.env[name] ? kept.replaceAll(edges.env[name], "[secret]") : kept), text));
  const found = await Promise.all(checks.map(async ([name, check]) => within(name, async () => [await check()].flat())));
  return found.flat().map((one) => ({ ...one, name: hide(one.name), says: hide(one.says), fix: one.fix === null ? null : hide(one.fix) }));
}

async function within(name: string, check: () => Promise<Finding[]>): Promise<Finding[]> {
  const late = Promise.withResolvers<Finding[]>();
  const timer = setTimeout(() => { late.resolve([broken(name, `it did not end within ${longestMs / 1000} s`, "something hangs: look at the disk, the proxy and the network")]); }, longestMs);
  try {
    return await Promise.race([check(), late.promise]);
  } catch (error) {
    return [broken(name, inWords(error), "SLUICE_DEBUG=1 npx sluice doctor shows more")];
  } finally {
    clearTimeout(timer);
  }
}
