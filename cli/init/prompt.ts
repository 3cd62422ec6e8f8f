// Loaded only on a terminal. A file of its own, so that a bundle holds the one prompt and not all of them.
export { select } from "@inquirer/prompts";
