/** Supabase's own advisors on the schema, through a connection as a hosted project's would be. */
import { execFile } from "node:child_process";
import { mkdirSync } from "node:fs";
import { type AddressInfo, type Server, connect, createServer } from "node:net";
import { join, resolve } from "node:path";
import { expect, test } from "../support/fixtures.ts";
import type { Stack } from "../support/stack.ts";

/** Supabase's program as its package for this system carries it: the package around them pins every system's. */
const SUPABASE = resolve(`node_modules/@supabase/cli-${process.platform}-${process.arch}/bin/supabase`);

/** The embedded cluster listens on a socket in a private folder; the advisors know loopback alone. */
async function listening(socket: string): Promise<Server> {
  const server = createServer((from) => {
    const to = connect(socket);
    from.pipe(to).pipe(from);
    for (const side of [from, to]) side.on("error", () => (from.destroy(), to.destroy()));
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  return server;
}

function advisors(stack: Stack, url: string): Promise<{ status: number; text: string }> {
  const folder = join(stack.folder, "advisors");
  mkdirSync(folder, { recursive: true });
  // What it notes of itself belongs into that folder, not into the checkout.
  const words = ["--workdir", folder, "db", "advisors", `--remote=${url}`];
  words.push("--type", "all", "--level", "warn", "--fail-on", "warn");
  const options = { cwd: folder, env: { ...process.env, HOME: folder, DO_NOT_TRACK: "1" } };
  return new Promise((done) => {
    execFile(SUPABASE, words, options, (error, stdout, stderr) =>
      done({ status: error ? Number(error.code ?? 1) : 0, text: stdout + stderr }),
    );
  });
}

test("the advisors find nothing to warn of", async ({ stack }) => {
  const server = await listening(join(stack.dataDir, "pg/sock/.s.PGSQL.5432"));
  const { port } = server.address() as AddressInfo;
  const url = `postgresql://postgres:none@127.0.0.1:${port}/postgres?sslmode=disable`;
  const { status, text } = await advisors(stack, url);
  expect(text).toContain("No issues found");
  expect(status).toBe(0);
  server.close();
});
