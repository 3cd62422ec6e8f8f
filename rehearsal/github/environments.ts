import { environmentLink } from "./run-answers.ts";
import { notFound, type Environment, type Json, type Repository, type Routes, userOf, type World } from "./world.ts";

/** An environment by its name; an unknown one is created without rules, as when a job names it. */
export function environmentOf(world: World, repository: Repository, name: string): Environment {
  const found = repository.environments.find((one) => one.name.toLowerCase() === name.toLowerCase());
  if (found !== undefined) return found;
  const at = world.now().toISOString();
  const made: Environment = {
    id: world.nextId(),
    name,
    reviewers: [],
    preventSelfReview: false,
    createdAt: at,
    updatedAt: at,
    secrets: {},
    variables: {},
  };
  repository.environments.push(made);
  return made;
}

export const environmentRoutes: Routes = async (world, { repository, method, rest, body }) => {
  if (rest === "environments" && method === "GET")
    return {
      status: 200,
      body: {
        total_count: repository.environments.length,
        environments: repository.environments.map((one) => written(world, repository, one)),
      },
    };
  const one = /^environments\/([^/]+)$/.exec(rest);
  if (one === null) return null;
  const name = decodeURIComponent(one[1] ?? "");
  if (method === "PUT") {
    const environment = environmentOf(world, repository, name);
    const reviewers = (body["reviewers"] ?? []) as { id: number }[];
    environment.reviewers = reviewers.flatMap(
      ({ id }) => [...world.users.values()].find((user) => user.id === id)?.login ?? [],
    );
    environment.preventSelfReview = body["prevent_self_review"] === true;
    environment.updatedAt = world.now().toISOString();
    return { status: 200, body: written(world, repository, environment) };
  }
  const found = repository.environments.find((each) => each.name.toLowerCase() === name.toLowerCase());
  if (found === undefined) throw notFound();
  if (method === "GET") return { status: 200, body: written(world, repository, found) };
  if (method !== "DELETE") return null;
  repository.environments = repository.environments.filter((each) => each !== found);
  return { status: 204 };
};

function written(world: World, repository: Repository, environment: Environment): Json {
  const reviewers = environment.reviewers.map((login) => ({ type: "User", reviewer: userOf(world, login) }));
  const rules =
    reviewers.length === 0
      ? []
      : [
          {
            id: environment.id,
            node_id: `GA_${environment.id}`,
            type: "required_reviewers",
            prevent_self_review: environment.preventSelfReview,
            reviewers,
          },
        ];
  return {
    ...environmentLink(world, repository, environment),
    protection_rules: rules,
    deployment_branch_policy: null,
  };
}
