import type { Scene, SceneOptions } from "../scene/scene.ts";

/** One episode of a candidate's life. A story sets up everything that it needs, so it can be played alone. */
export type Story = {
  number: number;
  /** Id of the system that plays it, if several systems play the same story. */
  system?: string;
  title: string;
  /** Set if the story measures latency, so that nothing else may run at the same time. */
  alone?: true;
  /** Set if the story shares nothing with the others and may run in parallel on its own scene. */
  beside?: true;
  /** Set if only `npm run rehearsal` plays it, for time: the test suite has the same story of another system, or its parts. */
  rehearsalOnly?: true;
  /** The scene that it needs, if it is not the team's. */
  setting?: SceneOptions;
  /**
   * @param log gets one line per step
   * @returns lines for the rehearsal's report, if there is more to tell than that all went as told
   * @throws AssertionError if a service's state is not what the story expects
   */
  play: (scene: Scene, log: (line: string) => void) => Promise<readonly string[] | void>;
};

/** The story's name for `--story`: "4", or "8 mood". A number alone selects the story for every system. */
export const nameOf = ({ number, system }: Story): string =>
  system === undefined ? String(number) : `${number} ${system}`;
export const isCalled = (story: Story, name: string): boolean =>
  name === String(story.number) || name === nameOf(story);
