import { main, type World } from "./harness.ts";

const receipt = (version: string, auroc: number) =>
  `mood ${version}\n\n${JSON.stringify({ schemaVersion: 1, model: { id: "mood", version, task: "binary-classification", sha256: "b".repeat(64) }, dataset: { id: "d", digest: "e", rows: 9 }, metrics: [{ metric: "auroc", head: null, slice: "all", value: auroc, interval: { low: auroc - 0.01, high: auroc + 0.01, level: 0.9, method: "DeLong" }, n: 9 }], verdict: "PASS", reason: "", sluiceVersion: "0", onnxruntime: "0" })}`;

/** Adds the releases mood 1.0.0 and 1.1.0, with 1.1.0 live in production. */
export function released({ github }: World): void {
  const { git, rows, deployments } = github.state;
  ["1.0.0", "1.1.0"].forEach((version, i) => {
    const tag = String(i).repeat(40);
    git.refs[`refs/tags/mood@${version}`] = { sha: tag, type: "tag" };
    git.tags[tag] = { tag: `mood@${version}`, message: receipt(version, 0.91 + i / 100), object: main };
    rows.push({
      id: 7000 + i,
      sha: main,
      ref: main,
      task: "sluice",
      environment: "mood-production",
      description: "",
      payload: {
        schemaVersion: 1,
        kind: "deploy",
        space: "octo/mood",
        spaceCommit: "c",
        model: { id: "mood", version, sha256: "b".repeat(64) },
        verdictSha256: "d".repeat(64),
        reason: "",
        actor: "octo",
      },
      transient_environment: false,
      production_environment: true,
    });
    deployments[7000 + i] = [
      { id: 1, state: "success", description: "", log_url: "", environment_url: "https://octo-mood.hf.space" },
      ...(i === 0 ? [{ id: 2, state: "inactive", description: "", log_url: "", environment_url: "" }] : []),
    ];
  });
}
