// The runner hands every input and variable over as text; these say what the text means.

/** Null for what was left empty or not given. */
export function orNull(text: string | undefined): string | null {
  return text === undefined || text === "" ? null : text;
}

/** Names with spaces, commas or line ends between them. */
export function namesIn(text: string): string[] {
  return text.split(/[\s,]+/).filter((word) => word !== "");
}

export function isTrue(text: string): boolean {
  return text === "true";
}
