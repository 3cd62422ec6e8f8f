import type { ClassificationResult, HeadResult } from "./result.ts";
import type { ClassificationHead, Head } from "./schema.ts";

type Results = Readonly<Record<string, HeadResult>>;

/** A classification's answer where its head has `top`: the most probable labels, in the place of all of them. */
type TopAnswer = {
  kind: "classification";
  label: string;
  score: number;
  top: { label: string; score: number }[];
};

/** What an answer tells of results: all, but for heads with `top`. Deployments compare this, and servers send it. */
export function answerOf(heads: readonly Head[], results: Results): Record<string, HeadResult | TopAnswer> {
  return Object.fromEntries(
    heads.map((head) => {
      const result = results[head.name]!;
      return [
        head.name,
        head.kind === "classification" && head.top !== undefined ? topAnswer(head, result, head.top) : result,
      ];
    }),
  );
}

/** The `top` most probable labels; of equal ones the earlier of the head comes first. */
function topAnswer({ labels }: ClassificationHead, result: HeadResult, top: number): TopAnswer {
  const { label, score, probabilities } = result as ClassificationResult;
  const sorted = labels.map((one) => ({ label: one, score: probabilities[one]! })).sort((a, b) => b.score - a.score);
  return { kind: "classification", label, score, top: sorted.slice(0, top) };
}

/**
 * Writes an answer's heads as JSON, byte for byte as `JSON.stringify` does with `answerOf`. In the answers of
 * classifications and single numbers only the numbers and the chosen label differ, so all other text is prepared once.
 * All numbers of an answer are finite.
 */
export function headsWriter(heads: readonly Head[]): (results: Results) => string {
  // As keys of an object, digits would be moved to the front and `__proto__` could get lost.
  const odd = (name: string) => name === "__proto__" || /^\d+$/.test(name);
  if (heads.some((head) => odd(head.name) || (head.kind === "classification" && head.labels.some(odd))))
    return (results) => JSON.stringify(answerOf(heads, results));
  const writers = heads.map((head, i) => {
    const name = `${i === 0 ? "{" : ","}${JSON.stringify(head.name)}:`;
    return { name: head.name, write: writerOf(head, name) };
  });
  return (results) => {
    let text = "";
    for (let i = 0; i < writers.length; i++) text += writers[i]!.write(results[writers[i]!.name]!);
    return `${text}}`;
  };
}

/** @param name the head's key with what stands before it */
function writerOf(head: Head, name: string): (result: HeadResult) => string {
  const before = `${name}{"kind":"${head.kind}"`;
  if (head.kind === "regression") return (result) => `${before},"value":${(result as { value: number }).value}}`;
  if (head.kind !== "classification") return (result) => `${name}${JSON.stringify(result)}`;
  const { top } = head;
  return top === undefined
    ? classification(before, head.labels)
    : (result) => `${name}${JSON.stringify(topAnswer(head, result, top))}`;
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
