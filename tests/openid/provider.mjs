// An OpenID provider for tests: the certified `oidc-provider` on the loopback. Whoever comes is the
// account that `login_hint` names and agrees to everything; the protocol is the library's own.
//
// usage: node provider.mjs; prints its issuer in one line once it listens.

import { createServer } from "node:http";
import Provider from "oidc-provider";

const redirect = "http://127.0.0.1:4710/signed-in";

const server = createServer();
server.listen(0, "127.0.0.1", () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, {
    clients: [
      {
        client_id: "jianjian",
        client_secret: "a secret: with % and :",
        redirect_uris: [redirect],
        response_types: ["code"],
        grant_types: ["authorization_code"],
      },
      {
        client_id: "jianjian-public",
        token_endpoint_auth_method: "none",
        redirect_uris: [redirect],
        response_types: ["code"],
        grant_types: ["authorization_code"],
      },
    ],
    pkce: { required: () => true },
    conformIdTokenClaims: false,
    claims: { openid: ["sub", "amr"], profile: ["preferred_username"] },
    features: { devInteractions: { enabled: false } },
    cookies: { keys: ["only for tests"] },
    findAccount: (_, id) => ({
      accountId: id,
      claims: () => ({ sub: id, preferred_username: id }),
    }),
    interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
    loadExistingGrant: async (ctx) => {
      const grant = new ctx.oidc.provider.Grant({
        clientId: ctx.oidc.client.clientId,
        accountId: ctx.oidc.session.accountId,
      });
      grant.addOIDCScope("openid profile");
      await grant.save();
      return grant;
    },
  });
  provider.use(async (ctx, next) => {
    if (!ctx.path.startsWith("/interaction/")) return next();
    const { params } = await provider.interactionDetails(ctx.req, ctx.res);
    const login = { accountId: params.login_hint ?? "nobody", amr: ["pwd", "otp"] };
    ctx.respond = false;
    return provider.interactionFinished(ctx.req, ctx.res, { login });
  });
  server.on("request", provider.callback());
  process.stdout.write(`${issuer}\n`);
});
