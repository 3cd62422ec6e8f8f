import type { BotConfiguration } from "../config/config.ts";
import type { DeviceFlow } from "../github/device-flow.ts";
import type { GitHub } from "../github/github.ts";
import type { Verdicts } from "../github/verdicts.ts";
import type { SpaceDeps } from "../spaces/ask.ts";
import type { Store } from "../store/store.ts";
import type { Log } from "./log.ts";

/** Everything that commands, approvals and events need. bot.ts creates the only instance. */
export type BotContext = {
  bot: BotConfiguration;
  store: Store;
  github: GitHub;
  verdicts: Verdicts;
  spaces: SpaceDeps;
  /** null if bot.yaml names no OAuth app; then nobody can link an account. */
  device: DeviceFlow | null;
  /** The bot's own name in Telegram; empty until Telegram has answered. */
  username: () => string;
  now: () => number;
  log: Log;
};
