/** How each test ended, by its file and name. */
export type Outcomes = ReadonlyMap<string, { status: string; why: string }>;

/** The tests that did not end the same way in every run, each with its ends: "RUNS×STATUS" and why. */
export function differences(runs: readonly Outcomes[]): { test: string; ended: string[] }[] {
  const tests = new Set(runs.flatMap((run) => [...run.keys()]));
  return [...tests].toSorted().flatMap((test) => {
    const ends = new Map<string, number>();
    for (const run of runs) {
      // A test that is not there, because its file could not be read, has ended in another way.
      const { status, why } = run.get(test) ?? { status: "missing", why: "" };
      const end = why === "" ? status : `${status}: ${why}`;
      ends.set(end, (ends.get(end) ?? 0) + 1);
    }
    const statuses = new Set([...ends.keys()].map((end) => end.split(":")[0]));
    return statuses.size === 1 ? [] : [{ test, ended: [...ends].map(([end, count]) => `${count} × ${end}`) }];
  });
}
