/** A plain client of the HTTP API, to prepare a story and to check what the page showed. */
import { until } from "./wait.ts";

// The answers are read loosely here: their exact shape is proven by the tests of the server.
// eslint-disable-next-line @typescript-eslint/no-explicit-any
export type Json = any;

const TERMINAL = ["completed", "failed", "cancelled"];

/** The secret and the variable of that name. */
export const KEY = "OPENAI_API_KEY";
export const ENVIRONMENT = { [KEY]: { secret: KEY } };

export class Api {
  constructor(private readonly base: () => string, readonly token: string) {}

  async request(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Response> {
    return fetch(`${this.base()}/api/v1${path}`, {
      method,
      headers: {
        authorization: `Bearer ${this.token}`,
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...headers,
      },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  }

  async get(path: string): Promise<Json> {
    return this.answer("GET", path);
  }

  async post(path: string, body: unknown = {}): Promise<Json> {
    return this.answer("POST", path, body);
  }

  private async answer(method: string, path: string, body?: unknown): Promise<Json> {
    const response = await this.request(method, path, body);
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
    return response.json();
  }

  /** A model behind the local endpoint. */
  async model(name: string, endpoint: string, variant = name): Promise<Json> {
    return this.post("/models", {
      name,
      family: "Local",
      backend: "openai",
      source: variant,
      model_args: { base_url: `${endpoint}/v1`, timeout: 300 },
    });
  }

  async benchmark(name: string): Promise<Json> {
    const found = await this.get(`/benchmarks?search=${encodeURIComponent(name)}&limit=200`);
    const benchmark = found.benchmarks.find((each: Json) => each.name === name);
    if (!benchmark) throw new Error(`the catalogue has no \`${name}\``);
    return benchmark;
  }

  /** Stores the key that lmms-eval's client insists on; runs refer to it by its name. */
  async storeKey(): Promise<void> {
    const answer = await this.request("PUT", `/secrets/${KEY}`, { value: "local" });
    if (!answer.ok) throw new Error(`the key is refused: ${answer.status} ${await answer.text()}`);
  }

  async launch(model: Json, benchmarks: string[], config: Json = {}): Promise<string> {
    const picked = await Promise.all(benchmarks.map((name) => this.benchmark(name)));
    const created = await this.post("/runs/create", {
      model_id: model.id,
      benchmark_ids: picked.map((benchmark) => benchmark.id),
      config: { ...config, environment: ENVIRONMENT },
    });
    return created.run_id;
  }

  async run(id: string): Promise<Json> {
    return this.get(`/runs/${id}`);
  }

  /** Waits for the end of a run and returns it. */
  async ended(id: string, timeout = 180_000): Promise<Json> {
    return until(
      `run ${id} ends`,
      async () => {
        const run = await this.run(id).catch(() => undefined);
        return run && TERMINAL.includes(run.status) ? run : undefined;
      },
      { timeout, every: 200 },
    );
  }
}
