/**
 * What is mutated, and the tests that have to notice. They are those that run the code in their own process and take
 * seconds: a mutant cannot wait for calibrations, and does not reach into processes that a test starts.
 */
export type MutantRoom = { sources: readonly string[]; tests: readonly string[] };

const under = (folder: string, ...names: string[]) => names.map((name) => `${folder}/${name}`);

export const mutantRooms: Readonly<Record<string, MutantRoom>> = {
  judge: {
    sources: ["eval/judge/*.ts"],
    tests: [
      ...under(
        "tests/eval/judge",
        "{algebra,bad-verdict-input,explain-outcome,judge,score-notes,small-sample}.test.ts",
        "{judge-predictions,verdict-rules}.test.ts",
      ),
      "tests/eval/stats/decide.test.ts",
      "tests/eval/power/false-red.test.ts",
    ],
  },
  stats: {
    sources: ["eval/stats/*.ts", "!eval/stats/bootstrap-worker{,s}.ts"],
    tests: [
      "tests/eval/stats/{argsort,bootstrap,chi-square,decide,delong,distributions,random,rates,uneven-units}.test.ts",
      "tests/eval/metrics/{values,contrast,units-that-count}.test.ts",
    ],
  },
  sequential: {
    sources: ["eval/stats/sequential/*.ts"],
    tests: ["tests/eval/stats/sequential/*.test.ts"],
  },
  drift: {
    sources: ["watch/drift/*.ts"],
    tests: ["tests/watch/drift/*.test.ts"],
  },
  ops: {
    sources: ["watch/ops/*.ts"],
    tests: ["tests/watch/ops/*.test.ts"],
  },
  metrics: {
    sources: ["eval/metrics/*.ts"],
    tests: ["tests/eval/metrics/{bad-input,values,contrast,units-that-count}.test.ts"],
  },
  latency: {
    sources: under(
      "eval/latency",
      "{contrast,group-sequential-boundary,hodges-lehmann,queries-needed,schedule}.ts",
      "{self-check,sequential-test,signed-rank,processors,warm-up}.ts",
    ),
    tests: ["tests/eval/latency/{limits,sequential-decisions,statistics,trace}.test.ts"],
  },
  gate: {
    sources: under(
      "eval/gate",
      "{exam,baseline,find-baseline,common-rows,continuity,same-files,same-model,production-receipt}.ts",
      "{proved-version,waivers,data-change,ended-verdict,model-pair,forbid-backend-switch}.ts",
    ),
    tests: ["tests/eval/gate/{common-rows,continuity,exam,find-baseline,outputs,proved-version}.test.ts"],
  },
  models: {
    sources: under(
      "models/core",
      "{artifact,expression,postprocess,predictor,preprocess}/*.ts",
      "session/{contract,session}.ts",
      "{field-path,row,tensors,tree-digest,retry-after}.ts",
    ),
    tests: [
      "tests/models/core/{artifact,batch-parity,direct,postprocess,predictor,rows,session}.test.ts",
      "tests/models/core/preprocess-{image,tabular,text}.test.ts",
    ],
  },
  deploy: {
    sources: [
      "deploy/{content,fall-back,plan,rollback,serve-proof,stages,wait,with-lock}.ts",
      "deploy/prove/*.ts",
      "deploy/record/{deployments,lock,release}.ts",
      "deploy/hub/{commit-once,until-answered}.ts",
    ],
    tests: [
      "tests/deploy/{commit-once,fall-back,http,lock,lock-holders,plan,prove,until-answered,verified,wait}.test.ts",
    ],
  },
  approvals: {
    sources: ["bot/approvals/*.ts"],
    tests: ["tests/bot/approvals/{action-worker,evidence,persons}.test.ts"],
  },
  scheduling: {
    sources: ["spaces/server/scheduling/*.ts"],
    tests: ["tests/spaces/server/{pure,scheduler,scheduler-rules,turns}.test.ts"],
  },
  v2: {
    sources: ["spaces/server/v2/{datatypes,decode,encode,infer,schema}.ts"],
    tests: ["tests/spaces/server/v2-messages.test.ts"],
  },
  "safe-fetch": {
    sources: ["spaces/server/http/safe-fetch.ts", "models/core/loopback.ts"],
    tests: ["tests/models/core/loopback.test.ts", "tests/spaces/server/safe-fetch.test.ts"],
  },
};
