// @2bad/bitrix sends every call as a GET, batches included. It leaves the renewal to its
// user, who makes it here as the vendor's documentation says: by a GET, too. An access
// token that it is made with never leaves it (findings/bitrix-token.sh), so the calls of
// the application carry theirs as a parameter.
import { createRequire } from 'node:module';
import { batchOf, keyboard, portal, step } from './steps.mjs';

const { Bitrix } = createRequire(import.meta.url)('@2bad/bitrix');
const { tokens } = portal;
const endpoint = tokens.client_endpoint.replace(/\/$/, '');
const own = { CLIENT_ID: 'interop-client-id' };
const bitrix = Bitrix(portal.hook);

async function result(client, method, params) {
  return (await client.call(method, params)).result;
}

await step('health check', async () => !Number.isNaN(Date.parse(await result(bitrix, 'server.time'))));
await step('ping', async () => {
  const start = Date.now();
  await result(bitrix, 'scope');
  return Date.now() - start;
});
await step('register', async () => {
  own.BOT_ID = await result(bitrix, 'imbot.register', {
    ...own, CODE: 'interop', EVENT_HANDLER: 'http://127.0.0.1:9/', PROPERTIES: { NAME: 'Interop' },
  });
  return own.BOT_ID;
});
await step('message with keyboard', () => result(bitrix, 'imbot.message.add', {
  ...own, DIALOG_ID: portal.person, MESSAGE: '[B]Hello[/B] + 100 % & # ж', KEYBOARD: keyboard,
}));
await step('batch of 50 with references', async () => (await bitrix.batch(batchOf(own))).result.result);
await step('OAuth call', () => result(Bitrix(endpoint), 'profile', { auth: tokens.access_token }));
await step('renewal', async () => {
  const query = new URLSearchParams({
    grant_type: 'refresh_token', client_id: portal.clientID, client_secret: portal.secret, refresh_token: tokens.refresh_token,
  });
  const renewed = await (await fetch(`${portal.server}/oauth/token/?${query}`)).json();
  return { profile: await result(Bitrix(endpoint), 'profile', { auth: renewed.access_token }), access_token: renewed.access_token, times: 1 };
});
