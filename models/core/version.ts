import packageJson from "../../package.json" with { type: "json" };

/** The version of sluice that measures and judges; part of every file it writes. */
export const sluiceVersion: string = packageJson.version;
