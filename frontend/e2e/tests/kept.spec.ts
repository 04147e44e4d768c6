import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "../support/fixtures.ts";
import { ENVIRONMENT, type Json } from "../support/api.ts";
import { isAlive, processesWith } from "../support/processes.ts";
import { driverEvents, metricsOnDisk, samplesOnDisk, sha256 } from "../support/results.ts";
import type { Stack } from "../support/stack.ts";
import { until } from "../support/wait.ts";

const THREE = ["shapes_suite", "shapes_boom", "shapes_mc"];

let models = 0;
async function model(stack: Stack): Promise<Json> {
  models += 1;
  return stack.api().model(`local-p80-${models}`, stack.endpoint.url, "local-p80");
}

/** Both log files in the object store are the files on disk, byte for byte. */
async function expectEqualLogs(stack: Stack, run: string): Promise<void> {
  for (const stream of ["stdout", "stderr"]) {
    const answer = await stack.api().request("GET", `/runs/${run}/logs?raw=${stream}`);
    expect(answer.status).toBe(200);
    const stored = sha256(new Uint8Array(await answer.arrayBuffer()));
    expect(stored, stream).toBe(sha256(readFileSync(join(stack.attemptDir(run), `${stream}.log`))));
  }
}

/** What the API says of each metric, in the words of `metricsOnDisk`. */
function snapshot(run: Json): Map<string, number> {
  const found = new Map<string, number>();
  for (const [benchmark, metrics] of Object.entries<Json>(run.metrics_snapshot)) {
    for (const [key, value] of Object.entries<Json>(metrics)) found.set(`${benchmark} ${key}`, value);
  }
  return found;
}

function statuses(run: Json): string[] {
  return run.benchmarks.map((benchmark: Json) => `${benchmark.name} ${benchmark.status}`);
}

test.afterEach(async ({ stack }) => stack.endpoint.release());

test("kill -9 of the product does not disturb the evaluation", async ({ stack, signedIn: page, expected }) => {
  expected.push(/ERR_CONNECTION_REFUSED|WebSocket|ERR_EMPTY_RESPONSE|ERR_CONNECTION_RESET|status of 401/);
  await stack.endpoint.hold(20);
  const run = await stack.api().launch(await model(stack), THREE);
  await page.goto(`${stack.url}/runs/${run}`);
  await stack.endpoint.held();
  const before = processesWith(stack.attemptDir(run));

  await stack.kill();
  await stack.endpoint.release();
  // The evaluation goes on alone, to its end.
  await until("the attempt writes its end", () => {
    try {
      return readFileSync(join(stack.attemptDir(run), "exit.json"), "utf8");
    } catch {
      return undefined;
    }
  }, { timeout: 120_000 });
  expect(before.length).toBeGreaterThan(0);

  await stack.up();
  const ended = await stack.api().ended(run);
  expect(statuses(ended)).toEqual(["shapes_suite completed", "shapes_boom failed", "shapes_mc completed"]);
  expect(ended.attempts).toHaveLength(1);
  expect(snapshot(ended)).toEqual(metricsOnDisk(stack.attemptDir(run)));
  await expectEqualLogs(stack, run);
  // The open page finds the product again and shows the end, without a reload.
  await expect(page.getByText("2 of 3 benchmarks completed").first()).toBeVisible({ timeout: 60_000 });
});

test("cancel leaves no process", async ({ stack }) => {
  await stack.endpoint.hold(5);
  const run = await stack.api().launch(await model(stack), ["arith_text", "shapes_mc"]);
  await stack.endpoint.held();
  const attempt = (await stack.api().run(run)).attempts[0].id as string;
  expect(processesWith(attempt).length).toBeGreaterThan(0);

  const answer = await stack.api().request("POST", `/runs/${run}/cancel`);
  expect(answer.status).toBe(202);
  expect(await answer.json()).toEqual({ status: "running", cancelling: true });
  const ended = await stack.api().ended(run);
  expect(ended.status).toBe("cancelled");
  expect(statuses(ended)).toEqual(["arith_text cancelled", "shapes_mc cancelled"]);
  await until("all its processes are gone", () => processesWith(attempt).length === 0, { timeout: 30_000 });
});

test("a queued run is cancelled at once", async ({ stack }) => {
  await stack.endpoint.hold(0);
  const local = await model(stack);
  const runs = [];
  for (let i = 0; i < 3; i += 1) runs.push(await stack.api().launch(local, ["arith_text"]));
  const waiting = await until("one run waits", async () => {
    const list = await stack.api().get("/runs?status=queued");
    const states = await stack.api().get("/runs?status=running");
    return states.runs.length >= 2 && list.runs[0];
  });
  const answer = await stack.api().request("POST", `/runs/${waiting.id}/cancel`);
  expect(answer.status).toBe(200);
  expect(await answer.json()).toEqual({ status: "cancelled" });
  for (const run of runs) await stack.api().request("POST", `/runs/${run}/cancel`);
  for (const run of runs) expect((await stack.api().ended(run)).status).toBe("cancelled");
});

test("requeue after a kill of the executor runs only what is left", async ({ stack }) => {
  const api = stack.api();
  // The thirty documents of the first benchmark pass, the second one stands still.
  await stack.endpoint.hold(33);
  const run = await api.launch(await model(stack), ["arith_text", "shapes_mc"]);
  await stack.endpoint.held();
  await until("the first benchmark is committed", async () => (await api.run(run)).benchmarks[0].status === "completed");
  const first = (await api.run(run)).benchmarks[0];

  const keeper = JSON.parse(readFileSync(join(stack.attemptDir(run), "pid.json"), "utf8")).pid as number;
  process.kill(keeper, "SIGKILL");
  const lost = await api.ended(run);
  expect(lost.status).toBe("failed");
  expect(lost.attempts[0].outcome).toBe("lost");
  await until("its child is gone as well", () => !isAlive(keeper) && processesWith(lost.attempts[0].id).length === 0, {
    timeout: 30_000,
  });

  await stack.endpoint.release();
  const answer = await api.post(`/runs/${run}/requeue`);
  expect(answer).toEqual({ status: "queued", benchmarks: ["shapes_mc"] });
  const ended = await api.ended(run);
  expect(ended.status).toBe("completed");
  expect(ended.attempts).toHaveLength(2);
  expect(ended.benchmarks[0]).toEqual(first);
  const started = driverEvents(stack.attemptDir(run)).filter((event) => event.event === "benchmark_started");
  expect(started.map((event) => event.name)).toEqual(["shapes_mc"]);
});

test("driver and plain processes give equal metrics, and run what the preview says", async ({ stack }) => {
  const api = stack.api();
  const local = await model(stack);
  const names = ["shapes_suite", "shapes_mc"];
  const config = { environment: ENVIRONMENT, gen_kwargs: { temperature: 0, until: "a 'b' \"c\"\n-d – é" }, seed: 7 };
  const picked = await Promise.all(names.map((name) => api.benchmark(name)));
  const ask = (isolation: string): Json => ({
    model_id: local.id,
    benchmark_ids: picked.map((benchmark) => benchmark.id),
    config: { ...config, isolation },
  });

  const driver = await api.post("/runs/preview", ask("model_once"));
  const once = await api.ended((await api.post("/runs/create", ask("model_once"))).run_id);
  const seen = driverEvents(stack.attemptDir(once.id)).filter((event) => event.event === "benchmark_started");
  const previewed = driver.commands.flatMap((command: Json) => command.benchmarks);
  expect(seen.map((event) => event.argv)).toEqual(previewed.map((benchmark: Json) => benchmark.argv));

  await stack.endpoint.hold(3);
  const preview = await api.post("/runs/preview", ask("process_per_benchmark"));
  const run = (await api.post("/runs/create", ask("process_per_benchmark"))).run_id;
  await stack.endpoint.held();
  const running = processesWith((await api.run(run)).attempts[0].id).map((each) => each.argv);
  expect(running).toContainEqual(preview.commands[0].argv);
  await stack.endpoint.release();
  const plain = await api.ended(run);

  expect(once.status).toBe("completed");
  expect(plain.status).toBe("completed");
  expect(snapshot(plain)).toEqual(snapshot(once));
  expect(snapshot(plain)).toEqual(metricsOnDisk(stack.attemptDir(run)));
  const samples = plain.benchmarks.reduce((sum: number, each: Json) => sum + each.sample_count, 0);
  expect(samples).toBe(samplesOnDisk(stack.attemptDir(run)));
});
