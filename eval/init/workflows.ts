/** A release of the suite: OWNER/NAME, and the tag or commit that workflows name. */
export type SuiteRelease = { repository: string; version: string; commit: string | null };

const pinned = ({ repository, version, commit }: SuiteRelease, file: string) =>
  `${repository}/.github/workflows/${file}@${commit === null ? `v${version}` : `${commit} # v${version}`}`;

/** The workflows of a repository whose models are gated, as docs/adopt.md explains them. Pure. */
export function workflowsFor(release: SuiteRelease): { path: string; text: string }[] {
  return [
    {
      path: ".github/workflows/gate.yml",
      text: `# The required check: "gate / gate" in the branch's rules. Other workflows wait for it by its name.
name: gate
on:
  pull_request:
    types: [opened, synchronize, reopened, edited] # edited: judged again when it is pointed at another base
  merge_group:
  push:
    branches: [main]
permissions: {}
jobs:
  gate:
    permissions:
      contents: read
      pull-requests: write # the one comment
    uses: ${pinned(release, "gate.yml")}
    secrets:
      TELEGRAM_BOT_TOKEN: \${{ secrets.TELEGRAM_BOT_TOKEN }} # only for the Telegram card; empty without
      SLUICE_TOKEN: \${{ secrets.SLUICE_TOKEN }} # only where ${release.repository} is private
`,
    },
    {
      path: ".github/workflows/gate-comment.yml",
      text: `# Publishes the verdict on pull requests from forks, whose own runs may only read. Runs nothing of theirs.
name: gate comment
on:
  workflow_run:
    workflows: [gate]
    types: [completed]
permissions: {}
jobs:
  comment:
    permissions:
      actions: read
      contents: read
      pull-requests: write
    uses: ${pinned(release, "gate-comment.yml")}
    secrets:
      TELEGRAM_BOT_TOKEN: \${{ secrets.TELEGRAM_BOT_TOKEN }}
      SLUICE_TOKEN: \${{ secrets.SLUICE_TOKEN }}
`,
    },
  ];
}
