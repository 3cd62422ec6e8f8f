import { lstat, readdir, readFile } from "node:fs/promises";
import { dirname, extname, join } from "node:path";
import { z } from "zod";
import { verdictFile, type VerdictFile } from "../../eval/schema/verdict.ts";
import { ConfigurationError } from "../../models/core/errors.ts";

const maxBytes = 4 * 1024 * 1024;
const maxPictureBytes = 10 * 1024 * 1024;

/** The parts of actions/deploy's receipt that a card needs; the rest is ignored. */
const deploymentFile = z.looseObject({
  schemaVersion: z.literal(1),
  outcome: z.enum(["live", "rolled-back", "failed", "overtaken", "unknown", "refused", "planned", "bundled"]),
  reason: z.string().describe("Why it failed or was rolled back."),
  environment: z.string(),
  url: z.string().nullable().describe("The Space."),
  deployed: z.looseObject({
    model: z.looseObject({ id: z.string(), version: z.string() }),
    source: z.looseObject({ commit: z.string().nullable() }),
  }),
  rolledBackTo: z.looseObject({ version: z.string() }).nullable().describe("What serves after a rollback."),
  githubDeployment: z.int().positive().nullable().describe("Remembers the card where there is no pull request."),
});
export type DeploymentFile = z.infer<typeof deploymentFile>;

export async function readVerdict(path: string): Promise<VerdictFile> {
  return readJson(path, verdictFile, "verdict", "the verdict.json that actions/gate writes");
}

export async function readDeployment(path: string): Promise<DeploymentFile> {
  return readJson(path, deploymentFile, "deployment", "the deployment.json that actions/deploy writes");
}

async function readJson<T extends z.ZodType>(
  path: string,
  schema: T,
  input: string,
  expected: string,
): Promise<z.infer<T>> {
  const failure = (problem: string, received: string) =>
    new ConfigurationError({
      code: "notify-file",
      problem,
      place: `input ${input}: ${path}`,
      expected,
      received,
      example: `${input}: .sluice/${input}.json`,
    });
  const text = await read(path, maxBytes).catch((error: unknown) => {
    throw failure("the file cannot be read", error instanceof Error ? error.message : String(error));
  });
  let json: unknown;
  try {
    json = JSON.parse(text.toString("utf8"));
  } catch (error) {
    throw failure("the file is not JSON", error instanceof Error ? error.message : String(error));
  }
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0] as z.core.$ZodIssue;
  throw failure("the file is not what it should be", `${issue.path.join(".") || "the whole"}: ${issue.message}`);
}

/** Reads a regular file of bounded size. Files from other jobs may be anything. */
async function read(path: string, maxSize: number): Promise<Buffer> {
  const found = await lstat(path);
  if (!found.isFile()) throw new Error("not a plain file");
  if (found.size > maxSize) throw new Error(`${found.size} bytes, more than ${maxSize}`);
  return readFile(path);
}

/**
 * A picture of the model's report for the message about a failure: MODEL.png or report.png beside the verdict. Null if
 * there is none that Telegram would accept.
 */
export async function findPicture(
  verdictPath: string,
  model: string,
): Promise<{ source: Buffer; filename: string } | null> {
  const folder = dirname(verdictPath);
  const names = await readdir(folder).catch(() => [] as string[]);
  const filename = [`${model}.png`, "report.png"].find((one) => names.includes(one) && extname(one) === ".png");
  if (filename === undefined) return null;
  const source = await read(join(folder, filename), maxPictureBytes).catch(() => null);
  return source !== null && source.subarray(0, 8).toString("latin1") === "\u0089PNG\r\n\u001a\n"
    ? { source, filename }
    : null;
}
