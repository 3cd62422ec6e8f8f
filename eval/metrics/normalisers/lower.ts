import type { Normaliser } from "./normaliser.ts";

/** Lower case by Unicode's rules, whatever the language. */
export const lower: Normaliser = { name: "lower", version: 1, apply: (text) => text.toLowerCase().normalize("NFC") };
