/** schemathesis, with every check, against the API's own document. */
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "../support/fixtures.ts";
import type { Stack } from "../support/stack.ts";

/** A finished evaluation, so that addresses lead somewhere and answers hold something. */
async function prepared(stack: Stack): Promise<Record<string, string>> {
  const api = stack.api();
  const model = await api.model("judged", stack.endpoint.url);
  const benchmark = await api.benchmark("shapes_color");
  const run = await api.launch(model, ["shapes_color"], { limit: 2 });
  expect((await api.ended(run)).status).toBe("completed");
  const checkpoint = await api.post(`/models/${model.id}/checkpoints`, { checkpoint_variant: "first" });
  return { run_id: run, model_id: model.id, benchmark_id: benchmark.id, checkpoint_id: checkpoint.id };
}

/** The committed settings, with ids that exist used half of the time. */
function settings(stack: Stack, ids: Record<string, string>): string {
  const lines = [readFileSync("judges/schemathesis.toml", "utf8")];
  for (const [name, id] of Object.entries(ids)) {
    lines.push(`[dictionaries.${name}]\nvalues = ["${id}"]`);
  }
  lines.push("[parameters]");
  for (const name of Object.keys(ids)) lines.push(`"path.${name}" = { dictionary = "${name}", probability = 0.5 }`);
  const file = join(stack.folder, "schemathesis.toml");
  writeFileSync(file, lines.join("\n"));
  return file;
}

test("schemathesis finds nothing", async ({ stack }) => {
  const file = settings(stack, await prepared(stack));
  const program = process.env.SCHEMATHESIS;
  if (!program) throw new Error("`SCHEMATHESIS` is not set: run this with `cargo xtask test --only judges`");
  const words = ["--config-file", file, "run", `${stack.url}/api/v1/openapi.json`, "--checks", "all", "--warnings", "off"];
  words.push("--header", `Authorization: Bearer ${stack.api().token}`);
  const ended = spawnSync(program, words, { encoding: "utf8", cwd: stack.folder, maxBuffer: 1 << 26 });
  expect(ended.status, `${ended.error ?? ""}\n${ended.stdout.slice(-60_000)}\n${ended.stderr}`).toBe(0);
});
