/** Polls until `look` gives something other than undefined, null or false; says what was awaited when time is up. */
export async function until<T>(
  what: string,
  look: () => T | Promise<T>,
  { timeout = 60_000, every = 50 } = {},
): Promise<NonNullable<T>> {
  const end = Date.now() + timeout;
  for (;;) {
    const seen = await look();
    if (seen !== undefined && seen !== null && seen !== false) return seen as NonNullable<T>;
    if (Date.now() > end) throw new Error(`${what}: not within ${timeout / 1000} s`);
    await new Promise((done) => setTimeout(done, every));
  }
}
