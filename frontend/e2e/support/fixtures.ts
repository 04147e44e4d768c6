/** One product for all tests of a worker, and a page that fails its test when the browser complains. */
import { type Page, test as base } from "@playwright/test";
import { Stack } from "./stack.ts";

export { expect } from "@playwright/test";

interface Tests {
  /** Complaints of the browser that this test provokes on purpose. */
  expected: RegExp[];
  /** A page of somebody who is signed in. */
  signedIn: Page;
}

interface Workers {
  stack: Stack;
  /** The state of a browser that was signed in by the link. */
  session: string;
}

export const test = base.extend<Tests, Workers>({
  stack: [
    async ({}, use) => {
      const stack = await Stack.start();
      await use(stack);
      await stack.stop();
    },
    { scope: "worker", timeout: 240_000 },
  ],

  session: [
    async ({ stack, browser }, use) => {
      const context = await browser.newContext();
      const page = await context.newPage();
      await signIn(page, stack);
      const state = JSON.stringify(await context.storageState());
      await context.close();
      await use(state);
    },
    { scope: "worker" },
  ],

  expected: async ({}, use) => use([]),

  page: async ({ page, expected }, use) => {
    const complaints = watch(page);
    await use(page);
    const unexpected = complaints.filter((text) => !expected.some((pattern) => pattern.test(text)));
    if (unexpected.length > 0) throw new Error(`the browser complained:\n${unexpected.join("\n")}`);
  },

  signedIn: async ({ page, session, stack }, use) => {
    const { cookies } = JSON.parse(session);
    await page.context().addCookies(cookies);
    await page.goto(stack.url);
    await page.getByRole("navigation", { name: "Main" }).waitFor();
    await use(page);
  },
});

/** Opens the one-time link and waits for the application. */
export async function signIn(page: Page, stack: Stack): Promise<void> {
  await page.goto(stack.signInUrl);
  await page.getByRole("navigation", { name: "Main" }).waitFor();
}

/** Collects everything that a careful user would find in the console. */
function watch(page: Page): string[] {
  const complaints: string[] = [];
  page.on("pageerror", (error) => complaints.push(`error: ${error.message}`));
  page.on("console", (message) => {
    if (message.type() === "error") complaints.push(`console: ${message.text()} (${message.location().url})`);
  });
  page.addInitScript(() => {
    document.addEventListener("securitypolicyviolation", (event) => {
      console.error(`content security policy: ${event.violatedDirective} ${event.blockedURI}`);
    });
  });
  return complaints;
}
