import { createHash } from "node:crypto";

/**
 * The header by which every answer of a Space's app says which tree it was made from, so that two revisions behind one
 * address are noticed.
 */
export const TREE_HEADER = "x-sluice-tree";

/** What the header says: the first half of the SHA-256 of the tree's deployment.json, in hex. */
export function treeDigest(deploymentFile: Uint8Array): string {
  return createHash("sha256").update(deploymentFile).digest("hex").slice(0, 32);
}
