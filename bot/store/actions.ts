import { randomBytes } from "node:crypto";
import { z } from "zod";
import type { Database, Row } from "./database.ts";

const review = {
  run: z.int(),
  environment: z.string(),
  environmentId: z.int(),
  /** What the run deploys, such as "mood 1.2.0". Requests of earlier versions of the bot lack it. */
  subject: z.string().default("a run"),
};

/** The actions that the bot may take on GitHub, each with the data that it needs. */
const actionDetail = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("deploy"),
    model: z.string(),
    environment: z.string(),
    version: z.string().nullable(),
    candidate: z.string(),
  }),
  z.strictObject({
    kind: z.literal("rollback"),
    model: z.string(),
    environment: z.string(),
    version: z.string(),
    candidate: z.string(),
  }),
  z.strictObject({ kind: z.literal("approve"), ...review }),
  z.strictObject({
    kind: z.literal("reject"),
    ...review,
    /** Empty until somebody has chosen one. */
    reason: z.string().default(""),
  }),
  z.strictObject({ kind: z.literal("retrain"), model: z.string(), reason: z.string() }),
  z.strictObject({ kind: z.literal("cancel"), run: z.int(), name: z.string() }),
  z.strictObject({
    kind: z.literal("rollout"),
    model: z.string(),
    environment: z.string(),
    does: z.enum(["promote", "override", "abort"]),
    rollout: z.string(),
    candidate: z.string(),
    /** Empty until somebody has chosen one, and for a promotion that the evidence allows. */
    reason: z.string().default(""),
  }),
  z.strictObject({ kind: z.literal("lock"), reason: z.string() }),
  z.strictObject({
    kind: z.literal("unlock"),
    reason: z.string(),
    locks: z.array(z.strictObject({ environment: z.string(), tagSha: z.string() })),
  }),
]);
export type ActionDetail = z.infer<typeof actionDetail>;
export type ActionState = "collecting" | "wanted" | "started" | "done" | "failed" | "refused" | "unsure" | "cancelled";
export type Action = {
  id: string;
  detail: ActionDetail;
  /** The commit and the report that were shown when the action was asked for. */
  sha: string;
  digest: string;
  initiator: number;
  approvers: number[];
  /** The number of persons required, including the initiator. */
  needed: number;
  /** What the question shows besides commit and report: figures, what is live, links. A line of HTML each. */
  about: string[];
  state: ActionState;
  messageKey: string;
  result: string | null;
  createdAt: number;
  startedAt: number | null;
  expiresAt: number;
};

/** Actions on GitHub. Each is stored as wanted, then started, then ended, so that none is done twice after a kill. */
export class Actions {
  private readonly db: Database;

  constructor(db: Database) {
    this.db = db;
  }

  add(
    action: Pick<
      Action,
      "detail" | "sha" | "digest" | "initiator" | "needed" | "about" | "messageKey" | "createdAt" | "expiresAt"
    >,
  ): Action {
    const id = `sl-${randomBytes(8).toString("hex")}`;
    this.db.run(
      "INSERT INTO actions (id, kind, detail, sha, digest, initiator, approvers, needed, about, state, message_key, created_at, expires_at) VALUES (?, ?, ?, ?, ?, ?, '[]', ?, ?, 'collecting', ?, ?, ?)",
      id,
      action.detail.kind,
      JSON.stringify(action.detail),
      action.sha,
      action.digest,
      action.initiator,
      action.needed,
      JSON.stringify(action.about),
      action.messageKey,
      action.createdAt,
      action.expiresAt,
    );
    return this.find(id) as Action;
  }

  find(id: string): Action | null {
    const row = this.db.get("SELECT * FROM actions WHERE id = ?", id);
    return row === undefined ? null : read(row);
  }

  open(): Action[] {
    return this.db.all("SELECT * FROM actions WHERE state IN ('wanted', 'started') ORDER BY created_at").map(read);
  }

  /** Whether a message shows an action that has not ended yet. */
  isOpenIn(messageKey: string): boolean {
    return (
      this.db.get(
        "SELECT 1 AS one FROM actions WHERE message_key = ? AND state IN ('collecting', 'wanted', 'started')",
        messageKey,
      ) !== undefined
    );
  }

  /** Actions that nobody confirmed in time. */
  late(now: number): Action[] {
    return this.db
      .all("SELECT * FROM actions WHERE state = 'collecting' AND expires_at <= ? ORDER BY created_at", now)
      .map(read);
  }

  /** Why a run is rejected. */
  explain(id: string, reason: string): void {
    this.db.run("UPDATE actions SET detail = json_set(detail, '$.reason', ?) WHERE id = ?", reason, id);
  }

  approve(id: string, approvers: readonly number[]): void {
    this.db.run("UPDATE actions SET approvers = ? WHERE id = ?", JSON.stringify(approvers), id);
  }

  /** Gives an action that collects taps more time. */
  extend(id: string, expiresAt: number): void {
    this.db.run("UPDATE actions SET expires_at = ? WHERE id = ? AND state = 'collecting'", expiresAt, id);
  }

  /** @returns false if it was no longer in state `from` */
  move(
    id: string,
    from: ActionState,
    to: ActionState,
    { result = null, startedAt = null }: { result?: string | null; startedAt?: number | null } = {},
  ): boolean {
    return (
      this.db.run(
        "UPDATE actions SET state = ?, result = coalesce(?, result), started_at = coalesce(?, started_at) WHERE id = ? AND state = ?",
        to,
        result,
        startedAt,
        id,
        from,
      ) > 0
    );
  }
}

function read(row: Row): Action {
  return {
    id: String(row["id"]),
    detail: actionDetail.parse(JSON.parse(String(row["detail"]))),
    sha: String(row["sha"]),
    digest: String(row["digest"]),
    initiator: Number(row["initiator"]),
    approvers: JSON.parse(String(row["approvers"])) as number[],
    needed: Number(row["needed"]),
    about: JSON.parse(String(row["about"])) as string[],
    state: row["state"] as ActionState,
    messageKey: String(row["message_key"]),
    result: row["result"] as string | null,
    createdAt: Number(row["created_at"]),
    startedAt: row["started_at"] as number | null,
    expiresAt: Number(row["expires_at"]),
  };
}
