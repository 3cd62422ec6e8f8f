/** Identifiers and keywords of some TypeScript, without what stands in strings, comments and regular expressions. */
export function identifiersOf(text: string): Set<string> {
  const found = new Set<string>();
  // Depth of braces within each open `${`; the template goes on at the brace that closes it.
  const holes: number[] = [];
  let previous = "";
  let at = 0;
  const skip = (pattern: RegExp): string => {
    pattern.lastIndex = at;
    const [match = ""] = pattern.exec(text) ?? [];
    at += Math.max(match.length, 1);
    return match;
  };
  while (at < text.length) {
    const char = text[at]!;
    const inHole = holes.length > 0;
    if (text.startsWith("//", at)) skip(/[^\n]*/y);
    else if (text.startsWith("/*", at)) skip(/\/\*[\s\S]*?\*\//y);
    else if (char === '"' || char === "'") {
      skip(char === '"' ? /"(?:[^"\\\n]|\\.)*"/y : /'(?:[^'\\\n]|\\.)*'/y);
      previous = char;
    } else if (char === "`" || (char === "}" && holes.at(-1) === 0)) {
      if (char === "}") holes.pop();
      at += 1;
      const piece = skipTemplate();
      if (piece === "hole") holes.push(0);
      previous = piece === "hole" ? "(" : "`";
    } else if (char === "/" && /^$|[(=,:[!&|?{};]/.test(previous)) {
      skip(/\/(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n[])+\/[a-z]*/y);
      previous = "/";
    } else if (/[\w$]/.test(char)) {
      const word = skip(/[\w$]+/y);
      if (!/^\d/.test(word)) found.add(word);
      previous = /^(return|typeof|case|await|yield|of|in)$/.test(word) ? "(" : "a";
    } else {
      if (inHole && char === "{") holes[holes.length - 1]! += 1;
      if (inHole && char === "}") holes[holes.length - 1]! -= 1;
      if (!/\s/.test(char)) previous = char;
      at += 1;
    }
  }
  return found;

  function skipTemplate(): "hole" | "end" {
    while (at < text.length) {
      if (text[at] === "\\") at += 2;
      else if (text[at] === "`") {
        at += 1;
        return "end";
      } else if (text.startsWith("${", at)) {
        at += 2;
        return "hole";
      } else at += 1;
    }
    return "end";
  }
}
