/** A page as every visitor should find it. */
import { join } from "node:path";
import { type Page, expect } from "@playwright/test";
import { expectAccessible } from "./axe.ts";
import { output } from "./stack.ts";

const WIDTHS = [360, 1024, 1920];
const THEMES = ["light", "dark"] as const;

/** Each page in both themes and three widths: axe finds nothing, nothing sticks out, and a picture for people. */
export async function expectGood(page: Page, name: string): Promise<void> {
  const folder = output("screens");
  for (const theme of THEMES) {
    await page.emulateMedia({ colorScheme: theme, reducedMotion: "reduce" });
    for (const width of WIDTHS) {
      await page.setViewportSize({ width, height: width === 360 ? 740 : 900 });
      await expect.poll(() => page.evaluate(() => document.scrollingElement!.scrollWidth - window.innerWidth)).toBeLessThanOrEqual(0);
      await expectAccessible(page, `${name}, ${theme}, ${width} px`);
      await page.screenshot({ path: join(folder, `${name}-${theme}-${width}.png`) });
    }
  }
  await page.setViewportSize({ width: 1280, height: 900 });
}
