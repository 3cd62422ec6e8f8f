import { holdJobs, type JobsHolder } from "../jobs/holder.ts";
import type { JobLimits } from "../jobs/limits.ts";
import { DATABASE_VARIABLE, openJobs } from "../jobs/open-jobs.ts";
import type { Settings } from "../settings/settings.ts";
import type { Serving } from "./context.ts";
import { jobModels } from "./job-models.ts";

const HOUR_MS = 3_600_000;

const limitsOf = (settings: Settings): JobLimits => ({
  keepMs: settings.jobsKeepHours * HOUR_MS,
  uploadMs: settings.jobsUploadHours * HOUR_MS,
  totalBytes: settings.jobsMaxBytes,
  ownerBytes: settings.jobsOwnerBytes,
  queued: settings.jobsMaxQueued,
  ownerQueued: settings.jobsOwnerQueued,
  concurrency: settings.jobsConcurrency,
  attempts: settings.jobsAttempts,
});

/** The jobs of a server: opened at once where there may be some from before, otherwise when the first is asked for. */
export function serverJobs(serving: Serving, env: Readonly<Record<string, string | undefined>>): JobsHolder {
  const { settings, log } = serving;
  const dir = settings.jobsDir ?? null;
  return holdJobs(
    async () => {
      const jobs = await openJobs({
        dir,
        env,
        limits: limitsOf(settings),
        models: jobModels(serving),
        report: (job, code) => log.warn({ ...(job === "" ? {} : { job: job.slice(0, 8) }), code }, "job trouble"),
      });
      const { key, place } = jobs.lasting;
      log.info({ keptIn: place, key: key ? "from SLUICE_JOBS_KEY" : "made for this process" }, "jobs open");
      if (!key && place === "folder")
        log.warn("without SLUICE_JOBS_KEY nobody can read the kept jobs and results once this process has ended");
      return jobs;
    },
    dir !== null || (env[DATABASE_VARIABLE] ?? "").trim() !== "",
    (error) => log.error({ err: { name: error.name, message: error.message } }, "jobs cannot be kept"),
  );
}
