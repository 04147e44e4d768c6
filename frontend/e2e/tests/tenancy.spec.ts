import { expect, test } from "../support/fixtures.ts";

const PRIVATE = [
  "/me", "/models", "/benchmarks", "/backends", "/slices", "/system", "/tokens", "/secrets", "/runs",
  "/runs/00000000-0000-7000-8000-000000000000",
];
const PUBLIC = ["/config", "/health", "/readyz", "/openapi.json"];

test("anonymous is refused everywhere but on the public routes", async ({ stack }) => {
  for (const path of PRIVATE) {
    const answer = await fetch(`${stack.url}/api/v1${path}`);
    expect(answer.status, path).toBe(401);
    expect(answer.headers.get("content-type"), path).toContain("application/problem+json");
  }
  for (const path of PUBLIC) expect((await fetch(`${stack.url}/api/v1${path}`)).status, path).toBe(200);
});

test("every documented route that is not public refuses anonymous", async ({ stack }) => {
  const document = await (await fetch(`${stack.url}/api/v1/openapi.json`)).json();
  let asked = 0;
  for (const [path, methods] of Object.entries<Record<string, { security?: unknown[] }>>(document.paths)) {
    const url = stack.url + path.replaceAll(/\{[^}]+\}/g, "00000000-0000-7000-8000-000000000000");
    for (const [method, operation] of Object.entries(methods)) {
      const open = operation.security?.length === 0 || operation.security?.some((each) => Object.keys(each as object).length === 0);
      if (open || !["get", "post", "put", "patch", "delete"].includes(method)) continue;
      const answer = await fetch(url, { method: method.toUpperCase() });
      expect([401, 403], `${method} ${path} answers ${answer.status}`).toContain(answer.status);
      asked += 1;
    }
  }
  expect(asked).toBeGreaterThan(15);
});

test("the pages name nothing of the installation before sign-in", async ({ page, stack, expected }) => {
  expected.push(/status of 40[01]/);
  await page.goto(`${stack.url}/runs/00000000-0000-7000-8000-000000000000`);
  await expect(page.getByRole("button", { name: "Sign in" })).toBeVisible();
  await expect(page.locator("body")).not.toContainText(stack.organization());
});
