import type { Normaliser } from "./normaliser.ts";

/** The text as it is. Texts are in Unicode normal form C wherever they come from. */
export const none: Normaliser = { name: "none", version: 1, apply: (text) => text };
