/**
 * GitHub's filter patterns (branches, tags, paths, workflows): * does not match /, ** matches everything, ? and +
 * repeat the preceding character, [] is a class. Later patterns win; ! excludes.
 */
export function matchesFilters(patterns: readonly string[], name: string): boolean {
  let matched = false;
  for (const pattern of patterns) {
    if (pattern.startsWith("!")) matched &&= !filterExpression(pattern.slice(1)).test(name);
    else matched ||= filterExpression(pattern).test(name);
  }
  return matched;
}

function filterExpression(pattern: string): RegExp {
  let source = "";
  for (let at = 0; at < pattern.length; at += 1) {
    const character = pattern[at] as string;
    if (pattern.startsWith("**/", at)) {
      source += "(?:.*/)?";
      at += 2;
    } else if (pattern.startsWith("**", at)) {
      source += ".*";
      at += 1;
    } else if (character === "*") source += "[^/]*";
    else if (character === "?" || character === "+") source += character;
    else if (character === "[") {
      const end = pattern.indexOf("]", at);
      source += pattern.slice(at, end + 1);
      at = end;
    } else if (character === "\\") {
      source += `\\${pattern[at + 1] ?? ""}`;
      at += 1;
    } else source += character.replace(/[$()./^{|}\]]/, "\\$&");
  }
  return new RegExp(`^${source}$`);
}

/**
 * Shell patterns of file names, as actions/upload-artifact and hashFiles read them. They also match names that start
 * with a dot.
 */
export function fileExpression(pattern: string): RegExp {
  let source = "";
  for (let at = 0; at < pattern.length; at += 1) {
    const character = pattern[at] as string;
    if (pattern.startsWith("**/", at)) {
      source += "(?:.*/)?";
      at += 2;
    } else if (pattern.startsWith("**", at)) {
      source += ".*";
      at += 1;
    } else if (character === "*") source += "[^/]*";
    else if (character === "?") source += "[^/]";
    else if (character === "[") {
      const end = pattern.indexOf("]", at);
      source += pattern.slice(at, end + 1).replace("[!", "[^");
      at = end;
    } else source += character.replace(/[$()+./\\^{|}\]]/, "\\$&");
  }
  return new RegExp(`^${source}$`);
}
