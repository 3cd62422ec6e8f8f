import type { ClassificationResult, HeadResult } from "./head.ts";
import type { Head } from "./schema.ts";

/**
 * Writes an answer's heads as JSON, byte for byte as `JSON.stringify` does. Only the numbers and the chosen label
 * differ from answer to answer, so all other text is prepared once. All numbers of an answer are finite.
 */
export function headsWriter(heads: readonly Head[]): (results: Readonly<Record<string, HeadResult>>) => string {
  // As keys of an object, digits would be moved to the front and `__proto__` could get lost.
  const odd = (name: string) => name === "__proto__" || /^\d+$/.test(name);
  if (heads.some((head) => odd(head.name) || (head.kind === "classification" && head.labels.some(odd))))
    return (results) => JSON.stringify(results);
  const writers = heads.map((head, i) => {
    const before = `${i === 0 ? "{" : ","}${JSON.stringify(head.name)}:{"kind":"${head.kind}"`;
    return {
      name: head.name,
      write:
        head.kind === "regression"
          ? (result: HeadResult) => `${before},"value":${(result as { value: number }).value}}`
          : classification(before, head.labels),
    };
  });
  return (results) => {
    let text = "";
    for (let i = 0; i < writers.length; i++) text += writers[i]!.write(results[writers[i]!.name]!);
    return `${text}}`;
  };
}

function classification(before: string, labels: readonly string[]): (result: HeadResult) => string {
  const named = new Map(labels.map((label) => [label, `${before},"label":${JSON.stringify(label)},"score":`]));
  const shares = labels.map(
    (label, i) => [label, `${i === 0 ? ',"probabilities":{' : ","}${JSON.stringify(label)}:`] as const,
  );
  return (result) => {
    const { label, score, probabilities } = result as ClassificationResult;
    let text = `${named.get(label)!}${score}`;
    for (let i = 0; i < shares.length; i++) text += `${shares[i]![1]}${probabilities[shares[i]![0]]}`;
    return `${text}}}`;
  };
}
