import { randomBytes } from "node:crypto";
import { formatByName } from "../../../eval/dataset/formats/open.ts";
import { hasEnded, type JobFormat, type JobRequest, type JobView, type UploadView } from "./job.ts";
import type { JobLimits } from "./limits.ts";
import type { JobModels, ModelFacts } from "./models.ts";
import { JobRefused } from "./refusal.ts";
import { tableHeader, tableRows } from "./result-table.ts";
import { runJob } from "./run-job.ts";
import { KeyLost, type Sealer } from "./seal.ts";
import { partPlace } from "./sealed-file.ts";
import { resultBlob, uploadBlob, type JobFigures, type JobRow, type JobStore, type UploadRow } from "./store.ts";
import { KEY_LOST, openName, openNotes, sealName, sealNotes, uploadViewOf, viewOf } from "./views.ts";

/** Who asks. `anyones`: nobody has a key here, so whoever knows the address of a job is its owner. */
export type Asker = { owner: string; anyones: boolean };

const ID_BYTES = 24;
const LEASE_MS = 30_000;
const RENEW_MS = 8000;
const POLL_MS = 1000;
const SWEEP_MS = 60_000;
/** One piece of an input, which is encrypted by itself. */
const PIECE_BYTES = 512 * 1024;
const LISTED = 200;

const CONTENT_TYPES: Record<string, JobFormat> = {
  "text/csv": "csv",
  "text/tab-separated-values": "csv",
  "application/x-ndjson": "jsonl",
  "application/jsonl": "jsonl",
  "application/jsonlines": "jsonl",
  "application/json": "json",
  "application/vnd.apache.parquet": "parquet",
  "application/x-parquet": "parquet",
};

type NewJob = { model: string; request: JobRequest };
type DirectJob = {
  model: string;
  bytes: Uint8Array;
  name: string | null;
  contentType: string;
  format: JobFormat | null;
  idField: string;
  field: string | null;
};
type ResultPiece = { data: Uint8Array; next: number | null };

/** Everything that the server asks of its jobs. Arguments and results are plain data: they cross threads. */
export type JobService = {
  createUpload(
    asker: Asker,
    facts: { size: number; name: string | null; contentType: string | null },
  ): Promise<UploadView>;
  upload(asker: Asker, id: string): Promise<UploadView>;
  /** @returns how many bytes are there after it; those of `bytes` that are too many are refused as a whole */
  append(asker: Asker, id: string, offset: number, bytes: Uint8Array): Promise<number>;
  deleteUpload(asker: Asker, id: string): Promise<void>;
  submit(asker: Asker, job: NewJob): Promise<JobView>;
  submitFile(asker: Asker, job: DirectJob): Promise<JobView>;
  job(asker: Asker, id: string): Promise<JobView>;
  list(asker: Asker): Promise<{ jobs: JobView[]; uploads: UploadView[] }>;
  /** Cancels a job that has not ended; deletes one that has. @returns the cancelled job, or null when it is deleted */
  remove(asker: Asker, id: string): Promise<JobView | null>;
  /** A piece of the result from `from` on; whole lines. `partial`: also of a job that failed. */
  result(
    asker: Asker,
    id: string,
    ask: { format: "jsonl" | "csv"; from: number; partial: boolean },
  ): Promise<ResultPiece>;
  figures(): Promise<JobFigures>;
  /** Looks for jobs now: a model has become ready. */
  wake(): Promise<void>;
  /** Gives running jobs back to the queue and closes everything. */
  close(): Promise<void>;
};

export type ServiceDeps = {
  store: JobStore;
  sealer: Sealer;
  models: JobModels;
  now: () => number;
  /** A job has changed, or is no more. */
  changed: (job: string) => void;
  report: (job: string, code: string) => void;
};

export function createJobService(limits: JobLimits, deps: ServiceDeps): JobService {
  const { store, sealer, models, now } = deps;
  const worker = randomBytes(9).toString("base64url");
  const running = new Map<string, Promise<void>>();
  const sleepers = new Set<() => void>();
  const life = { stopping: false };
  let claiming = false;

  const sleep = (ms: number) =>
    new Promise<void>((resolve) => {
      const end = () => {
        clearTimeout(timer);
        sleepers.delete(end);
        resolve();
      };
      const timer = setTimeout(end, life.stopping ? 0 : ms);
      sleepers.add(end);
    });

  /** Takes as many jobs as may run at a time. */
  async function claim(): Promise<void> {
    if (claiming) return;
    claiming = true;
    try {
      while (!life.stopping && running.size < limits.concurrency) {
        const job = await store.claim(worker, now(), now() + LEASE_MS, await models.ready());
        if (job === null || running.has(job.id)) return;
        deps.changed(job.id);
        const renewing = setInterval(() => {
          void store.renew(job.id, worker, now() + LEASE_MS).catch(() => deps.report(job.id, "no-renewal"));
        }, RENEW_MS);
        const run = runJob(job, {
          store,
          sealer,
          models,
          worker,
          now,
          sleep,
          attempts: limits.attempts,
          totalBytes: limits.totalBytes,
          stopped: () => life.stopping,
          changed: deps.changed,
          report: deps.report,
        })
          .then(
            () => {},
            // The store itself fails. The job is taken up again when its lease ends.
            (error: unknown) => deps.report(job.id, (error as Error).name),
          )
          .finally(() => {
            clearInterval(renewing);
            running.delete(job.id);
            void wake();
          });
        running.set(job.id, run);
      }
    } finally {
      claiming = false;
    }
  }
  const wake = () => claim().catch(() => deps.report("", "no-claim"));
  const polling = setInterval(() => void wake(), POLL_MS);
  const sweep = async () => {
    for (const id of await store.sweep(now())) deps.changed(id);
  };
  const sweeping = setInterval(() => void sweep().catch(() => deps.report("", "no-sweep")), SWEEP_MS);
  void sweep().catch(() => deps.report("", "no-sweep"));
  void wake();

  const newId = () => randomBytes(ID_BYTES).toString("base64url");
  const may = (asker: Asker, owner: string) => asker.anyones || asker.owner === owner;

  /** @throws JobRefused 404 also for what is another's, so that nobody learns that it exists */
  async function ownJob(asker: Asker, id: string): Promise<JobRow> {
    const job = await store.job(id);
    if (job === null || !may(asker, job.owner))
      throw new JobRefused(404, "unknown-job", "no such job of yours is kept here; it may have expired");
    return job;
  }

  async function ownUpload(asker: Asker, id: string): Promise<UploadRow> {
    const upload = await store.upload(id);
    if (upload === null || upload.job !== null || !may(asker, upload.owner))
      throw new JobRefused(404, "unknown-upload", "no such upload of yours is kept here; it may have expired");
    return upload;
  }

  async function reserve(
    asker: Asker,
    { size, name, contentType }: { size: number; name: string | null; contentType: string | null },
  ): Promise<UploadRow> {
    const id = newId();
    const row: UploadRow = {
      id,
      owner: asker.owner,
      size,
      received: 0,
      contentType,
      name: name === null ? null : sealName(sealer, id, name),
      job: null,
      expiresAt: now() + limits.uploadMs,
    };
    const found = await store.createUpload(row, limits);
    if (found === "owner-full")
      throw new JobRefused(
        413,
        "owner-full",
        `${size} bytes are more than is left of the ${limits.ownerBytes} bytes that one owner may keep here; delete jobs or uploads`,
      );
    if (found === "full")
      throw new JobRefused(507, "storage-full", "there is no space for it here until earlier jobs are deleted", 60);
    return row;
  }

  async function appendTo(upload: UploadRow, offset: number, bytes: Uint8Array): Promise<number> {
    let at = offset;
    for (let from = 0; from < bytes.length || from === 0; from += PIECE_BYTES) {
      const piece = bytes.subarray(from, from + PIECE_BYTES);
      if (piece.length === 0) break;
      const received = await store.appendPart(
        upload.id,
        {
          start: at,
          size: piece.length,
          data: sealer.seal(piece, partPlace(uploadBlob(upload.id), at)),
        },
        now() + limits.uploadMs,
      );
      if (received === null)
        throw new JobRefused(
          409,
          "upload-offset",
          "the upload goes on elsewhere, or has its size already; ask with HEAD",
        );
      at = received;
    }
    return at;
  }

  async function factsOf(model: string): Promise<ModelFacts> {
    const facts = await models.facts(model);
    if (facts === null) throw new JobRefused(503, "not-ready", `the model ${model} does not answer at the moment`, 5);
    if (!facts.policy.enabled) throw new JobRefused(404, "no-jobs", `${model} takes no jobs`);
    return facts;
  }

  async function create(
    asker: Asker,
    model: string,
    upload: UploadRow,
    input: { format: JobFormat; name: string | null; idField: string; field: string | null },
    facts: ModelFacts,
  ): Promise<JobView> {
    const maxBytes = facts.policy.maxBytes;
    if (maxBytes !== undefined && upload.size > maxBytes)
      throw new JobRefused(413, "input-too-large", `a job of ${model} may have ${maxBytes} bytes of input`);
    const id = newId();
    const at = now();
    const { keepHours } = facts.policy;
    const keepMs = keepHours === undefined ? limits.keepMs : keepHours * 3_600_000;
    const { name, idField, field } = input;
    const row: JobRow = {
      id,
      owner: asker.owner,
      model,
      version: null,
      digest: null,
      state: "queued",
      format: input.format,
      upload: upload.id,
      attempts: 0,
      restarts: 0,
      notBefore: 0,
      leaseUntil: 0,
      worker: null,
      totalRows: null,
      doneRows: 0,
      failedRows: 0,
      inputBytes: upload.size,
      resultBytes: 0,
      notes: sealNotes(sealer, id, { problems: [], error: null, name, idField, field, columns: null }),
      createdAt: at,
      startedAt: null,
      endedAt: null,
      keepMs,
      expiresAt: at + keepMs,
      revision: 1,
    };
    const found = await store.createJob(row, limits);
    if (found === "owner-full")
      throw new JobRefused(429, "jobs-of-owner", `at most ${limits.ownerQueued} jobs of one owner may wait`, 30);
    if (found === "full") throw new JobRefused(503, "jobs-full", `${limits.queued} jobs are waiting`, 30);
    if (found === "taken")
      throw new JobRefused(409, "upload-unfinished", "the upload is not complete, or is the input of another job");
    void wake();
    return viewOf(row, sealer);
  }

  /** @throws JobRefused 415, 422 when nothing tells how the input is read */
  function readAs(
    facts: ModelFacts,
    input: { format: JobFormat | null; field: string | null; name: string | null; contentType: string | null },
  ): { format: JobFormat; field: string | null } {
    const { name, field } = input;
    const type = input.contentType?.split(";", 1)[0]!.trim().toLowerCase() ?? "";
    const named = name === null ? undefined : formatByName(name);
    const format =
      input.format ??
      CONTENT_TYPES[type] ??
      (field !== null || /^(audio|video|image)\//.test(type) ? "media" : named === "folder" ? undefined : named);
    if (format === undefined)
      throw new JobRefused(
        415,
        "unknown-format",
        "neither the name nor the Content-Type tells how the file is read; say format=csv, jsonl, json, parquet or media",
      );
    if (format !== "media") return { format, field: null };
    const chosen = field ?? (facts.mediaFields.length === 1 ? facts.mediaFields[0]! : null);
    if (chosen === null || !Object.hasOwn(facts.fields, chosen))
      throw new JobRefused(
        422,
        "media-field",
        `which field is the file the value of? field=NAME, one of ${(facts.mediaFields.length === 0 ? Object.keys(facts.fields) : facts.mediaFields).join(", ")}`,
      );
    return { format, field: chosen };
  }

  async function submitBytes(asker: Asker, job: DirectJob): Promise<JobView> {
    const facts = await factsOf(job.model);
    const read = readAs(facts, job);
    const upload = await reserve(asker, { size: job.bytes.length, name: job.name, contentType: job.contentType });
    try {
      await appendTo(upload, 0, job.bytes);
      const { name, idField } = job;
      return await create(asker, job.model, upload, { ...read, name, idField }, facts);
    } catch (error) {
      await store.deleteUpload(upload.id);
      throw error;
    }
  }

  return {
    async createUpload(asker, facts) {
      return uploadViewOf(await reserve(asker, facts), sealer);
    },
    upload: async (asker, id) => uploadViewOf(await ownUpload(asker, id), sealer),
    append: async (asker, id, offset, bytes) => appendTo(await ownUpload(asker, id), offset, bytes),
    async deleteUpload(asker, id) {
      await store.deleteUpload((await ownUpload(asker, id)).id);
    },
    async submit(asker, { model, request }) {
      if (!("upload" in request)) {
        const rows = "rows" in request ? request.rows : [request.row];
        const bytes = Buffer.from(rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
        const { idField } = request;
        return submitBytes(asker, {
          model,
          bytes,
          idField,
          name: null,
          field: null,
          contentType: "application/x-ndjson",
          format: "jsonl",
        });
      }
      const facts = await factsOf(model);
      const upload = await ownUpload(asker, request.upload);
      const name = openName(sealer, upload);
      const read = readAs(facts, {
        format: request.format ?? null,
        field: request.field ?? null,
        name,
        contentType: upload.contentType,
      });
      return create(asker, model, upload, { ...read, name, idField: request.idField }, facts);
    },
    submitFile: submitBytes,
    job: async (asker, id) => viewOf(await ownJob(asker, id), sealer),
    async list(asker) {
      if (asker.anyones)
        throw new JobRefused(
          403,
          "no-owners",
          "without API keys nobody owns a list of jobs; the address of a job is all that leads to it",
        );
      return {
        jobs: (await store.jobsOf(asker.owner, LISTED)).map((job) => viewOf(job, sealer)),
        uploads: (await store.uploadsOf(asker.owner)).map((upload) => uploadViewOf(upload, sealer)),
      };
    },
    async remove(asker, id) {
      await ownJob(asker, id);
      const cancelled = await store.cancel(id, now());
      if (!cancelled) await store.deleteJob(id);
      deps.changed(id);
      return cancelled ? viewOf(await ownJob(asker, id), sealer) : null;
    },
    async result(asker, id, { format, from, partial }) {
      const job = await ownJob(asker, id);
      if (!hasEnded(job.state))
        throw new JobRefused(409, "not-finished", `the job is ${job.state}; ${job.doneRows} rows are done`, 2);
      if (job.state === "cancelled")
        throw new JobRefused(410, "cancelled", "the job was cancelled, and its result deleted");
      if (job.state === "failed" && !partial)
        throw new JobRefused(409, "job-failed", `the job failed after ${job.doneRows} rows; ?partial=true gives those`);
      const notes = openNotes(sealer, job);
      if (notes === null) throw new JobRefused(410, KEY_LOST.code, KEY_LOST.detail);
      const blob = resultBlob(id);
      const [part] = await store.parts(blob, from, 1);
      const head = from === 0 && format === "csv" ? tableHeader(notes.columns ?? []) : "";
      if (part === undefined) return { data: Buffer.from(head), next: null };
      try {
        const text = sealer.open(part.data, partPlace(blob, part.start));
        const end = part.start + part.size;
        return {
          data: format === "jsonl" ? text : Buffer.from(head + tableRows(text.toString("utf8"), notes.columns ?? [])),
          next: end < job.resultBytes ? end : null,
        };
      } catch (error) {
        if (error instanceof KeyLost) throw new JobRefused(410, KEY_LOST.code, KEY_LOST.detail);
        throw error;
      }
    },
    figures: () => store.figures(),
    wake,
    async close() {
      life.stopping = true;
      clearInterval(polling);
      clearInterval(sweeping);
      for (const end of sleepers) end();
      await Promise.all(running.values());
      await store.close();
    },
  };
}
