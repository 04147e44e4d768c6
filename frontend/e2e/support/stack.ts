/** The real product with everything it needs: lmms-dash, its PostgreSQL, lmms-eval, and an endpoint that answers. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { chmodSync, closeSync, existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { Api } from "./api.ts";
import { until } from "./wait.ts";

const HERE = dirname(fileURLToPath(import.meta.url));
const NEEDED = (name: string): string => {
  const value = process.env[name];
  if (!value) throw new Error(`\`${name}\` is not set: run the browser tests with \`cargo xtask test --only browser\``);
  return value;
};

export const TASKS = join(HERE, "tasks");

interface Ready {
  url: string;
  sign_in_url: string;
  pid: number;
  version: string;
}

/** The endpoint that plays the model. */
export class Endpoint {
  private constructor(private readonly child: ChildProcess, readonly url: string) {}

  static async start(folder: string): Promise<Endpoint> {
    const portFile = join(folder, "endpoint.port");
    const child = spawn("python3", [join(HERE, "endpoint.py"), portFile], { stdio: ["ignore", "inherit", "inherit"] });
    const port = await until("the endpoint listens", () => existsSync(portFile) && readFileSync(portFile, "utf8"));
    return new Endpoint(child, `http://127.0.0.1:${port}`);
  }

  /** Lets `count` more requests through, then holds. */
  async hold(count: number): Promise<void> {
    await this.control({ hold_after: count });
  }

  async release(): Promise<void> {
    await this.control({ hold_after: null });
  }

  async latency(seconds: number): Promise<void> {
    await this.control({ latency: seconds });
  }

  /** Waits until the evaluation stands still at the gate. */
  async held(): Promise<void> {
    await until("the evaluation waits for an answer", async () => (await this.state()).waiting > 0, { timeout: 120_000 });
  }

  async state(): Promise<{ requests: number; waiting: number }> {
    return (await fetch(`${this.url}/control`)).json();
  }

  private async control(change: object): Promise<void> {
    await fetch(`${this.url}/control`, { method: "POST", body: JSON.stringify(change) });
  }

  stop(): void {
    this.child.kill("SIGKILL");
  }
}

export class Stack {
  private child?: ChildProcess;
  private ready?: Ready;
  private readonly apis = new Map<string, Api>();

  private constructor(readonly folder: string, readonly endpoint: Endpoint, private readonly settings: Record<string, string>) {}

  /** Starts everything in a folder of its own, with these settings beside the usual ones. */
  static async start(settings: Record<string, string> = {}): Promise<Stack> {
    const folder = mkdtempSync(join(tmpdir(), "lmms-e2e-"));
    chmodSync(folder, 0o755); // the database's own user must pass through
    const stack = new Stack(folder, await Endpoint.start(folder), settings);
    await stack.up();
    await stack.api().storeKey();
    return stack;
  }

  get dataDir(): string {
    return join(this.folder, "data");
  }

  get url(): string {
    return this.started.url.replace(/\/$/, "");
  }

  get signInUrl(): string {
    return this.started.sign_in_url;
  }

  get pid(): number {
    return this.started.pid;
  }

  private get started(): Ready {
    if (!this.ready) throw new Error("the product is not up");
    return this.ready;
  }

  /** Starts lmms-dash; after the first time on the same port, so that open pages find it again. */
  async up(): Promise<void> {
    const readyFile = join(this.folder, "ready.json");
    rmSync(readyFile, { force: true });
    const address = this.ready ? new URL(this.ready.url).host : "127.0.0.1:0";
    const log = openSync(join(this.folder, "lmms-dash.log"), "a");
    const child = spawn(
      NEEDED("LMMS_DASH"),
      ["up", "--data-dir", this.dataDir, "--listen", address, "--ready-file", readyFile, "--spa-dir", NEEDED("LMMS_DASH_SPA")],
      { env: this.environment(), stdio: ["ignore", log, log], cwd: this.folder },
    );
    closeSync(log);
    this.child = child;
    const text = await until(
      "lmms-dash is ready",
      () => {
        if (child.exitCode !== null) throw new Error(`lmms-dash ended with ${child.exitCode}:\n${this.log()}`);
        return existsSync(readyFile) && readFileSync(readyFile, "utf8");
      },
      { timeout: 180_000 },
    );
    this.ready = JSON.parse(text) as Ready;
  }

  /** What lmms-dash printed, its last part. */
  log(): string {
    return readFileSync(join(this.folder, "lmms-dash.log"), "utf8").slice(-8000);
  }

  /** kill -9, as an accident would. */
  async kill(): Promise<void> {
    const { child } = this;
    if (!child) return;
    child.kill("SIGKILL");
    await until("lmms-dash is gone", () => child.signalCode !== null || child.exitCode !== null);
  }

  /** A client that acts as a token of the organization. */
  api(role = "owner", organization = this.organization()): Api {
    const key = `${organization}/${role}`;
    const known = this.apis.get(key);
    if (known) return known;
    const api = new Api(() => this.url, this.lmmsDash("token", "create", "--organization", organization, "--role", role));
    this.apis.set(key, api);
    return api;
  }

  /** Runs a command of lmms-dash against this installation and returns what it printed. */
  lmmsDash(...args: string[]): string {
    const all = [...args, "--data-dir", this.dataDir];
    return execFileSync(NEEDED("LMMS_DASH"), all, { env: this.environment(), encoding: "utf8" }).trim();
  }

  /** The organization that the first start made. */
  organization(): string {
    return "My organization";
  }

  /** The folder of a run's newest attempt. */
  attemptDir(run: string): string {
    const folder = join(this.dataDir, "attempts", run);
    const epochs = readdirSync(folder).map(Number).sort((a, b) => b - a);
    return join(folder, String(epochs[0]));
  }

  async stop(): Promise<void> {
    const { child } = this;
    if (child && child.exitCode === null && child.signalCode === null) {
      child.kill("SIGTERM");
      await until("lmms-dash stops", () => child.signalCode !== null || child.exitCode !== null, { timeout: 30_000 });
    }
    this.endpoint.stop();
    if (!process.env.LMMS_E2E_KEEP) rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }

  private environment(): NodeJS.ProcessEnv {
    return {
      ...process.env,
      HF_HUB_OFFLINE: "1",
      HF_DATASETS_OFFLINE: "1",
      HF_HOME: join(this.folder, "hf"),
      LMMS_INCLUDE_PATHS: TASKS,
      // All stories come from one address.
      LMMS_SIGN_IN_LIMIT: "200",
      LMMS_EVAL_PYTHON: NEEDED("LMMS_EVAL_PYTHON"),
      ...this.settings,
    };
  }
}

/** Makes the folder for screenshots and traces. */
export function output(name: string): string {
  const folder = join(process.env.LMMS_E2E_OUT ?? join(HERE, "../output"), name);
  mkdirSync(folder, { recursive: true });
  return folder;
}
