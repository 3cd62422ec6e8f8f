import type { Answers, Question } from "../../eval/init/question.ts";

/**
 * Asks on the terminal. Without one, or with --yes, the guess counts; it is marked in the file.
 *
 * @returns what was said, as its flag would have said it
 */
export async function ask(questions: readonly Question[], yes: boolean, stderr: NodeJS.WriteStream): Promise<Answers> {
  const said: Answers = {};
  const talks = !yes && process.stdin.isTTY && stderr.isTTY;
  for (const one of questions) {
    let answer = one.guess;
    if (talks) {
      const { select } = await import("./prompt.ts");
      answer = await select(
        {
          message: `${one.asks} (${one.because}; ${one.flag})`,
          choices: one.choices.map((value) => ({ value, name: value === one.guess ? `${value} (likely)` : value })),
          default: one.guess,
        },
        { output: stderr },
      );
    } else
      stderr.write(
        `guess: ${one.asks.replace(/\?$/, "")}: ${one.guess} (${one.because}; ${one.flag} says otherwise)\n`,
      );
    Object.assign(said, answerOf(one, answer, talks));
  }
  return said;
}

/** Only what a person said is no guess any more. */
function answerOf({ key }: Question, answer: string, talks: boolean): Answers {
  if (!talks) return {};
  if (key === "label") return { label: answer };
  if (key === "labels") return { labels: answer.split(",") };
  if (key === "features") return { features: answer.split(",") };
  if (key === "slices") return { slices: answer.split(",") };
  return { text: answer };
}
