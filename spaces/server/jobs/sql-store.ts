import { ConfigurationError } from "../../../models/core/errors.ts";
import { jobStates, type JobState } from "./job.ts";
import type { Query, SqlDatabase, SqlRow, SqlValue } from "./sql.ts";
import { resultBlob, uploadBlob, type JobRow, type JobStore, type PartRow, type UploadRow } from "./store.ts";

const VERSION = 1;
/** Held in Postgres by a transaction that counts before it writes. An arbitrary number of ours. */
const COUNTING = 5_150_731;
const SWEPT_AT_ONCE = 100;
const FREED_PAGES = 2000;

const tables = (bytes: "BLOB" | "BYTEA") => [
  `CREATE TABLE IF NOT EXISTS sluice_job_schema (version BIGINT NOT NULL)`,
  `CREATE TABLE IF NOT EXISTS sluice_job_uploads (
     id TEXT PRIMARY KEY, owner TEXT NOT NULL, size BIGINT NOT NULL, received BIGINT NOT NULL, content_type TEXT,
     name ${bytes}, job TEXT, expires_at BIGINT NOT NULL)`,
  `CREATE TABLE IF NOT EXISTS sluice_jobs (
     id TEXT PRIMARY KEY, owner TEXT NOT NULL, model TEXT NOT NULL, version TEXT, digest TEXT, state TEXT NOT NULL,
     format TEXT NOT NULL, upload TEXT NOT NULL, attempts BIGINT NOT NULL, restarts BIGINT NOT NULL,
     not_before BIGINT NOT NULL, lease_until BIGINT NOT NULL, worker TEXT, total_rows BIGINT, done_rows BIGINT NOT NULL,
     failed_rows BIGINT NOT NULL, input_bytes BIGINT NOT NULL, result_bytes BIGINT NOT NULL, notes ${bytes} NOT NULL,
     created_at BIGINT NOT NULL, started_at BIGINT, ended_at BIGINT, keep_ms BIGINT NOT NULL, expires_at BIGINT NOT NULL,
     revision BIGINT NOT NULL)`,
  `CREATE INDEX IF NOT EXISTS sluice_jobs_waiting ON sluice_jobs (state, not_before)`,
  `CREATE INDEX IF NOT EXISTS sluice_jobs_owner ON sluice_jobs (owner, created_at)`,
  `CREATE TABLE IF NOT EXISTS sluice_job_parts (
     blob TEXT NOT NULL, start BIGINT NOT NULL, size BIGINT NOT NULL, data ${bytes} NOT NULL)`,
  `CREATE UNIQUE INDEX IF NOT EXISTS sluice_job_parts_place ON sluice_job_parts (blob, start, size)`,
];

const column = (key: string) => key.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
const record = (row: SqlRow): unknown =>
  Object.fromEntries(
    Object.entries(row).map(([name, value]) => [
      name.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase()),
      value,
    ]),
  );

/**
 * Jobs in a SQL database. The statements are the same for SQLite and Postgres; only Postgres has other writers, so only
 * there rows are locked.
 *
 * @throws ConfigurationError when a newer version wrote the tables
 */
export async function openSqlStore(db: SqlDatabase): Promise<JobStore> {
  const shared = db.kind === "postgres";
  await db.transaction(async (query) => {
    await counting(query);
    for (const statement of tables(shared ? "BYTEA" : "BLOB")) await query(statement);
    const [found] = await query("SELECT version FROM sluice_job_schema");
    if (found === undefined) await query("INSERT INTO sluice_job_schema (version) VALUES ($1)", [VERSION]);
    else if (Number(found["version"]) > VERSION)
      throw new ConfigurationError({
        code: "jobs-store",
        problem: "the database of jobs is from a newer version of the server",
        expected: `version ${VERSION}`,
        received: `version ${String(found["version"])}`,
      });
  });
  // A file has one process. Whoever ran these jobs has died.
  if (!shared)
    await db.query(
      "UPDATE sluice_jobs SET state = 'queued', worker = NULL, revision = revision + 1 WHERE state = 'running' RETURNING id",
    );

  /** Lets no other replica count at the same time. */
  async function counting(query: Query): Promise<void> {
    if (shared) await query("SELECT pg_advisory_xact_lock($1)", [COUNTING]);
  }
  const insert = (query: Query, table: string, row: Readonly<Record<string, SqlValue>>) => {
    const keys = Object.keys(row);
    return query(
      `INSERT INTO ${table} (${keys.map(column).join(", ")}) VALUES (${keys.map((_, i) => `$${i + 1}`).join(", ")})`,
      Object.values(row),
    );
  };
  const first = async <T>(query: Query, text: string, values: readonly SqlValue[]): Promise<T | null> => {
    const [row] = await query(text, values);
    return row === undefined ? null : (record(row) as T);
  };
  const number = async (query: Query, text: string, values: readonly SqlValue[] = []): Promise<number> =>
    Number((await query(text, values))[0]!["n"]);
  const storedBytes = async (query: Query, owner: string | null) => {
    const [where, values] = owner === null ? ["", []] : [" WHERE owner = $1", [owner]];
    return (
      (await number(query, `SELECT COALESCE(SUM(size), 0) AS n FROM sluice_job_uploads${where}`, values)) +
      (await number(query, `SELECT COALESCE(SUM(result_bytes), 0) AS n FROM sluice_jobs${where}`, values))
    );
  };
  const deleteUpload = async (query: Query, id: string) => {
    await query("DELETE FROM sluice_job_parts WHERE blob = $1", [uploadBlob(id)]);
    await query("DELETE FROM sluice_job_uploads WHERE id = $1", [id]);
  };
  const deleteResult = (query: Query, id: string) =>
    query("DELETE FROM sluice_job_parts WHERE blob = $1", [resultBlob(id)]);
  const insertPart = (query: Query, blob: string, { start, size, data }: PartRow) =>
    insert(query, "sluice_job_parts", { blob, start, size, data });
  const changed = (rows: readonly SqlRow[]) => rows.length > 0;
  const OWN = "id = $1 AND worker = $2 AND state = 'running'";

  return {
    createUpload: (row, limits) =>
      db.transaction(async (query) => {
        await counting(query);
        if ((await storedBytes(query, row.owner)) + row.size > limits.ownerBytes) return "owner-full";
        if ((await storedBytes(query, null)) + row.size > limits.totalBytes) return "full";
        await insert(query, "sluice_job_uploads", row);
        return "ok";
      }),
    upload: (id) => first<UploadRow>(db.query, "SELECT * FROM sluice_job_uploads WHERE id = $1", [id]),
    uploadsOf: async (owner) =>
      (
        await db.query("SELECT * FROM sluice_job_uploads WHERE owner = $1 AND job IS NULL ORDER BY expires_at DESC", [
          owner,
        ])
      ).map((row) => record(row) as UploadRow),
    appendPart: (id, part, expiresAt) =>
      db.transaction(async (query) => {
        const [row] = await query(
          `UPDATE sluice_job_uploads SET received = received + $3, expires_at = $4
           WHERE id = $1 AND received = $2 AND job IS NULL AND received + $3 <= size RETURNING received`,
          [id, part.start, part.size, expiresAt],
        );
        if (row === undefined) return null;
        await insertPart(query, uploadBlob(id), part);
        return Number(row["received"]);
      }),
    deleteUpload: (id) =>
      db.transaction(async (query) => {
        const [free] = await query("SELECT id FROM sluice_job_uploads WHERE id = $1 AND job IS NULL", [id]);
        if (free !== undefined) await deleteUpload(query, id);
      }),
    createJob: (row, limits) =>
      db.transaction(async (query) => {
        await counting(query);
        const waiting = "SELECT COUNT(*) AS n FROM sluice_jobs WHERE state IN ('queued', 'running')";
        if ((await number(query, `${waiting} AND owner = $1`, [row.owner])) >= limits.ownerQueued) return "owner-full";
        if ((await number(query, waiting)) >= limits.queued) return "full";
        const taken = await query(
          "UPDATE sluice_job_uploads SET job = $1 WHERE id = $2 AND job IS NULL AND received = size RETURNING id",
          [row.id, row.upload],
        );
        if (!changed(taken)) return "taken";
        await insert(query, "sluice_jobs", row);
        return "ok";
      }),
    job: (id) => first<JobRow>(db.query, "SELECT * FROM sluice_jobs WHERE id = $1", [id]),
    jobsOf: async (owner, limit) =>
      (
        await db.query("SELECT * FROM sluice_jobs WHERE owner = $1 ORDER BY created_at DESC, id LIMIT $2", [
          owner,
          limit,
        ])
      ).map((row) => record(row) as JobRow),
    async claim(worker, now, leaseUntil, models) {
      if (models.length === 0) return null;
      const names = models.map((_, i) => `$${i + 4}`).join(", ");
      // Whoever has the fewest jobs running is next, so that one owner's many jobs do not keep the others waiting.
      return first<JobRow>(
        db.query,
        `UPDATE sluice_jobs SET state = 'running', worker = $1, lease_until = $3, attempts = attempts + 1,
           started_at = COALESCE(started_at, $2), revision = revision + 1
         WHERE id = (
           SELECT j.id FROM sluice_jobs j
           WHERE j.model IN (${names}) AND ((j.state = 'queued' AND j.not_before <= $2) OR
             (j.state = 'running' AND j.lease_until < $2))
           ORDER BY (SELECT COUNT(*) FROM sluice_jobs r WHERE r.owner = j.owner AND r.state = 'running'
             AND r.lease_until >= $2), j.created_at, j.id
           LIMIT 1 ${shared ? "FOR UPDATE OF j SKIP LOCKED" : ""})
         RETURNING *`,
        [worker, now, leaseUntil, ...models],
      );
    },
    renew: async (id, worker, leaseUntil) =>
      changed(
        await db.query(`UPDATE sluice_jobs SET lease_until = $3 WHERE ${OWN} RETURNING id`, [id, worker, leaseUntil]),
      ),
    commit: (id, worker, { from, rows, failed, part, notes, totalBytes }) =>
      db.transaction(async (query) => {
        if ((await storedBytes(query, null)) + part.size > totalBytes) return "full";
        const own = await query(
          `UPDATE sluice_jobs SET done_rows = done_rows + $4, failed_rows = failed_rows + $5,
             result_bytes = result_bytes + $6, notes = $7, attempts = 0, revision = revision + 1
           WHERE ${OWN} AND done_rows = $3 AND result_bytes = $8 RETURNING id`,
          [id, worker, from, rows, failed, part.size, notes, part.start],
        );
        if (!changed(own)) return "lost";
        await insertPart(query, resultBlob(id), part);
        return "ok";
      }),
    begin: (id, worker, { version, digest, totalRows, notes, restart }) =>
      db.transaction(async (query) => {
        const again = restart ? ", done_rows = 0, failed_rows = 0, result_bytes = 0, restarts = restarts + 1" : "";
        const own = await query(
          `UPDATE sluice_jobs SET version = $3, digest = $4, total_rows = $5, notes = $6, revision = revision + 1${again}
           WHERE ${OWN} RETURNING id`,
          [id, worker, version, digest, totalRows, notes],
        );
        if (changed(own) && restart) await deleteResult(query, id);
        return changed(own);
      }),
    finish: (id, worker, state, notes, now) =>
      db.transaction(async (query) => {
        const [own] = await query(
          `UPDATE sluice_jobs SET state = $3, worker = NULL, notes = $4, ended_at = $5, expires_at = $5 + keep_ms,
             revision = revision + 1 WHERE ${OWN} RETURNING upload`,
          [id, worker, state, notes, now],
        );
        if (own === undefined) return false;
        // Nobody needs the input any more.
        await deleteUpload(query, String(own["upload"]));
        return true;
      }),
    release: async (id, worker, notBefore, counts) =>
      changed(
        await db.query(
          `UPDATE sluice_jobs SET state = 'queued', worker = NULL, not_before = $3, revision = revision + 1${counts ? "" : ", attempts = CASE WHEN attempts > 0 THEN attempts - 1 ELSE 0 END"}
           WHERE ${OWN} RETURNING id`,
          [id, worker, notBefore],
        ),
      ),
    cancel: (id, now) =>
      db.transaction(async (query) => {
        const [job] = await query(
          `UPDATE sluice_jobs SET state = 'cancelled', worker = NULL, ended_at = $2, expires_at = $2 + keep_ms,
             result_bytes = 0, revision = revision + 1 WHERE id = $1 AND state IN ('queued', 'running') RETURNING upload`,
          [id, now],
        );
        if (job === undefined) return false;
        await deleteUpload(query, String(job["upload"]));
        await deleteResult(query, id);
        return true;
      }),
    deleteJob: (id) =>
      db.transaction(async (query) => {
        const [job] = await query("DELETE FROM sluice_jobs WHERE id = $1 RETURNING upload", [id]);
        if (job === undefined) return;
        await deleteUpload(query, String(job["upload"]));
        await deleteResult(query, id);
      }),
    parts: async (blob, from, limit) =>
      (
        await db.query(
          `SELECT start, size, data FROM sluice_job_parts WHERE blob = $1 AND start + size > $2 ORDER BY start LIMIT $3`,
          [blob, from, limit],
        )
      ).map((row) => record(row) as PartRow),
    async sweep(now) {
      const swept = await db.transaction(async (query) => {
        const uploads = await query(
          "SELECT id FROM sluice_job_uploads WHERE job IS NULL AND expires_at < $1 LIMIT $2",
          [now, SWEPT_AT_ONCE],
        );
        for (const { id } of uploads) await deleteUpload(query, String(id));
        const jobs = await query(
          `DELETE FROM sluice_jobs WHERE id IN
             (SELECT id FROM sluice_jobs WHERE state <> 'running' AND expires_at < $1 LIMIT $2) RETURNING id, upload`,
          [now, SWEPT_AT_ONCE],
        );
        for (const { id, upload } of jobs) {
          await deleteUpload(query, String(upload));
          await deleteResult(query, String(id));
        }
        return jobs.map(({ id }) => String(id));
      });
      if (!shared) await db.query(`PRAGMA incremental_vacuum(${FREED_PAGES})`);
      return swept;
    },
    async figures() {
      const states = Object.fromEntries(jobStates.map((state) => [state, 0])) as Record<JobState, number>;
      for (const { state, n } of await db.query("SELECT state, COUNT(*) AS n FROM sluice_jobs GROUP BY state"))
        states[state as JobState] = Number(n);
      const [oldest] = await db.query("SELECT MIN(created_at) AS n FROM sluice_jobs WHERE state = 'queued'");
      return {
        states,
        oldestQueuedAt: oldest!["n"] === null ? null : Number(oldest!["n"]),
        bytes: await storedBytes(db.query, null),
        uploads: await number(db.query, "SELECT COUNT(*) AS n FROM sluice_job_uploads WHERE job IS NULL"),
      };
    },
    close: () => db.close(),
  };
}
