/** A rule that makes texts alike before they are compared. `version` changes with anything that it does differently. */
export type Normaliser = { name: string; version: number; apply(text: string): string };
