import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const NAME = /^sluice-jobs-(\d+)-/;

/**
 * A folder for the jobs of this process. Those of processes that were killed are deleted: nobody has their keys.
 *
 * @param isAlive whether a process of this id runs
 */
export function temporaryFolder(parent = tmpdir(), isAlive: (pid: number) => boolean = runs): string {
  for (const name of readdirSync(parent)) {
    const pid = NAME.exec(name)?.[1];
    if (pid !== undefined && !isAlive(Number(pid))) rmSync(join(parent, name), { recursive: true, force: true });
  }
  return mkdtempSync(join(parent, `sluice-jobs-${process.pid}-`));
}

function runs(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== "ESRCH";
  }
}
