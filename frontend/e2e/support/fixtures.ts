/** One product for all tests of a worker, and a page that fails its test when the browser complains. */
import { type BrowserContext, type Page, test as base } from "@playwright/test";
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
  /** A browser that was signed in by the link; a refresh token works once, so all pages share it. */
  session: BrowserContext;
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
      const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, reducedMotion: "reduce" });
      const page = await context.newPage();
      await signIn(page, stack);
      await page.close();
      await use(context);
      await context.close();
    },
    { scope: "worker" },
  ],

  expected: async ({}, use) => use([]),

  page: async ({ page, expected }, use) => {
    const complaints = watch(page);
    await use(page);
    refuse(complaints, expected);
  },

  signedIn: async ({ session, stack, expected }, use) => {
    const page = await session.newPage();
    const complaints = watch(page);
    await page.goto(stack.url);
    await page.getByRole("navigation", { name: "Main" }).waitFor();
    await use(page);
    await page.close();
    refuse(complaints, expected);
  },
});

/** The first owner's account, as the dialog after the link sets it. */
export const OWNER = { email: "owner@example.org", password: "a long password" };

/** Opens the one-time link and gives the account an address and a password. */
export async function signIn(page: Page, stack: Stack): Promise<void> {
  await page.goto(stack.signInUrl);
  const dialog = page.getByRole("dialog", { name: "Address and password" });
  await dialog.getByLabel("E-mail").fill(OWNER.email);
  await dialog.getByLabel("New password").fill(OWNER.password);
  await dialog.getByRole("button", { name: "Save" }).click();
  await dialog.waitFor({ state: "hidden" });
  await page.getByRole("navigation", { name: "Main" }).waitFor();
}

/** A page that is watched like the others, in a product of the story's own. */
export async function pageOf(context: BrowserContext, stack: Stack, story: (page: Page) => Promise<void>): Promise<void> {
  const page = await context.newPage();
  const complaints = watch(page);
  await signIn(page, stack);
  await story(page);
  refuse(complaints, []);
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

function refuse(complaints: string[], expected: RegExp[]): void {
  const unexpected = complaints.filter((text) => !expected.some((pattern) => pattern.test(text)));
  if (unexpected.length > 0) throw new Error(`the browser complained:\n${unexpected.join("\n")}`);
}
