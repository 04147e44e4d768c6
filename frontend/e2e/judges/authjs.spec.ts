/** The sign-in of the product under Supabase's own client, unchanged: no browser, no code of ours in between. */
import { AuthClient, type Session, isAuthApiError, isAuthWeakPasswordError } from "@supabase/auth-js";
import { expect, test } from "../support/fixtures.ts";
import type { Stack } from "../support/stack.ts";

const PASSWORD = "a long password";

/** A client as supabase-js makes one, with a storage of its own. */
function client(stack: Stack): AuthClient {
  return new AuthClient({ url: `${stack.url}/auth/v1`, autoRefreshToken: false, persistSession: false });
}

/** The secret of an invitation for an address. */
async function invited(stack: Stack, email: string): Promise<string> {
  const made = await stack.api().post("/invitations", { email, role: "viewer" });
  return made.secret;
}

async function signedUp(stack: Stack, name: string): Promise<{ auth: AuthClient; email: string; session: Session }> {
  const auth = client(stack);
  const email = `${name}@example.org`;
  const data = { invitation: await invited(stack, email), name };
  const answer = await auth.signUp({ email, password: PASSWORD, options: { data } });
  expect(answer.error).toBeNull();
  return { auth, email, session: answer.data.session! };
}

/** The status of a request of the API with this access token. */
async function me(stack: Stack, token: string): Promise<number> {
  return (await fetch(`${stack.url}/api/v1/me`, { headers: { authorization: `Bearer ${token}` } })).status;
}

test("an invitation signs somebody up, and their session works", async ({ stack }) => {
  const { auth, email, session } = await signedUp(stack, "ada");
  expect(session).toMatchObject({ token_type: "bearer", user: { email, aud: "authenticated", role: "authenticated" } });
  expect(session.expires_at! * 1000).toBeGreaterThan(Date.now());
  const { data, error } = await auth.getUser();
  expect(error).toBeNull();
  expect(data.user).toMatchObject({ id: session.user.id, email, user_metadata: { name: "ada" } });
  expect(JSON.stringify(data.user)).not.toContain("invitation");
  expect((await auth.getUserIdentities()).data?.identities).toHaveLength(1);
  expect(await me(stack, session.access_token)).toBe(200);
  // The client fetches our keys and verifies the signature itself.
  const claims = await auth.getClaims();
  expect(claims.error).toBeNull();
  expect(claims.data?.claims).toMatchObject({ sub: session.user.id, email, role: "authenticated" });
  expect(claims.data?.header.alg).toBe("ES256");
});

test("who is not invited is refused in the client's own words", async ({ stack }) => {
  const closed = await client(stack).signUp({ email: "eve@example.org", password: PASSWORD });
  expect(isAuthApiError(closed.error)).toBe(true);
  expect(closed.error).toMatchObject({ status: 422, code: "signup_disabled" });
  const options = { data: { invitation: await invited(stack, "weak@example.org") } };
  const weak = await client(stack).signUp({ email: "weak@example.org", password: "short", options });
  expect(isAuthWeakPasswordError(weak.error)).toBe(true);
  expect(weak.error).toMatchObject({ status: 422, code: "weak_password", reasons: ["length"] });
  const anonymous = await client(stack).signInAnonymously();
  expect(anonymous.error).toMatchObject({ status: 422, code: "anonymous_provider_disabled" });
});

test("a password opens a session, and a wrong one does not", async ({ stack }) => {
  const { email } = await signedUp(stack, "grace");
  const auth = client(stack);
  const right = await auth.signInWithPassword({ email: email.toUpperCase(), password: PASSWORD });
  expect(right.error).toBeNull();
  expect(right.data.user?.email).toBe(email);
  expect((await auth.getSession()).data.session?.access_token).toBe(right.data.session?.access_token);
  for (const wrong of [
    { email, password: "not the password" },
    { email: "nobody@example.org", password: PASSWORD },
  ]) {
    const { data, error } = await client(stack).signInWithPassword(wrong);
    expect(data.session).toBeNull();
    expect(error).toMatchObject({ name: "AuthApiError", status: 400, code: "invalid_credentials" });
  }
});

test("a refresh brings new tokens, and listeners hear of everything", async ({ stack }) => {
  const { email, session } = await signedUp(stack, "alan");
  const auth = client(stack);
  const heard: string[] = [];
  const { data: listening } = auth.onAuthStateChange((event) => void heard.push(event));
  await auth.initialize();
  expect((await auth.signInWithPassword({ email, password: PASSWORD })).error).toBeNull();
  const before = (await auth.getSession()).data.session!;
  const refreshed = await auth.refreshSession();
  expect(refreshed.error).toBeNull();
  expect(refreshed.data.session?.refresh_token).not.toBe(before.refresh_token);
  expect(refreshed.data.user?.id).toBe(session.user.id);
  expect(await me(stack, refreshed.data.session!.access_token)).toBe(200);
  const changed = await auth.updateUser({ data: { colour: "green" } });
  expect(changed.error).toBeNull();
  expect(changed.data.user?.user_metadata).toMatchObject({ colour: "green" });
  expect((await auth.signOut({ scope: "local" })).error).toBeNull();
  expect((await auth.getSession()).data.session).toBeNull();
  await expect.poll(() => heard).toEqual(["INITIAL_SESSION", "SIGNED_IN", "TOKEN_REFRESHED", "USER_UPDATED", "SIGNED_OUT"]);
  listening.subscription.unsubscribe();
  const { error } = await client(stack).refreshSession({ refresh_token: "of nobody" });
  expect(error).toMatchObject({ status: 400, code: "refresh_token_not_found" });
});

test("a session is taken over from its tokens, expired or not", async ({ stack }) => {
  const { session } = await signedUp(stack, "barbara");
  const auth = client(stack);
  const taken = await auth.setSession(session);
  expect(taken.error).toBeNull();
  expect(taken.data.user?.id).toBe(session.user.id);
  const [header, payload, signature] = session.access_token.split(".");
  const claims = { ...JSON.parse(Buffer.from(payload!, "base64url").toString()), exp: 1 };
  const stale = [header, Buffer.from(JSON.stringify(claims)).toString("base64url"), signature].join(".");
  const late = await client(stack).setSession({ access_token: stale, refresh_token: session.refresh_token });
  expect(late.error).toBeNull();
  expect(late.data.session?.access_token).not.toBe(stale);
});

test("a new password needs the old one", async ({ stack }) => {
  const { auth, email } = await signedUp(stack, "edsger");
  const without = await auth.updateUser({ password: "another password" });
  expect(without.error).toMatchObject({ status: 400, code: "current_password_mismatch" });
  const changed = await auth.updateUser({ password: "another password", current_password: PASSWORD });
  expect(changed.error).toBeNull();
  expect((await client(stack).signInWithPassword({ email, password: PASSWORD })).error?.code).toBe("invalid_credentials");
  expect((await client(stack).signInWithPassword({ email, password: "another password" })).error).toBeNull();
});

test("whoever signs out is out at once, here or everywhere", async ({ stack }) => {
  const first = await signedUp(stack, "niklaus");
  const second = client(stack);
  const opened = await second.signInWithPassword({ email: first.email, password: PASSWORD });
  const other = opened.data.session!;
  expect((await second.signOut({ scope: "others" })).error).toBeNull();
  expect([await me(stack, first.session.access_token), await me(stack, other.access_token)]).toEqual([401, 200]);
  const gone = await client(stack).getUser(first.session.access_token);
  expect(gone.error).toMatchObject({ name: "AuthSessionMissingError" });
  expect((await client(stack).refreshSession(first.session)).error?.status).toBe(400);
  expect((await second.signOut()).error).toBeNull();
  expect(await me(stack, other.access_token)).toBe(401);
});

test("what is not offered is an error that the client understands", async ({ stack }) => {
  const auth = client(stack);
  const email = "ada@example.org";
  const answers = [
    await auth.signInWithOtp({ email }),
    await auth.resetPasswordForEmail(email),
    await auth.verifyOtp({ email, token: "123456", type: "email" }),
  ];
  for (const { error } of answers) expect(error).toMatchObject({ name: "AuthApiError", status: 404, code: "not_found" });
});
