// The vendor's SDK. Its webhook client insists on https://, so without TLS everything is
// tried as an OAuth application.
import { B24Hook, B24OAuth } from '@bitrix24/b24jssdk';
import { batchOf, keyboard, portal, step } from './steps.mjs';

const { tokens } = portal;

function application(expires) {
  return new B24OAuth({
    applicationToken: portal.eventToken,
    userId: tokens.user_id,
    memberId: tokens.member_id,
    accessToken: tokens.access_token,
    refreshToken: tokens.refresh_token,
    expires,
    expiresIn: tokens.expires_in,
    scope: tokens.scope,
    domain: tokens.domain,
    clientEndpoint: tokens.client_endpoint,
    serverEndpoint: tokens.server_endpoint,
    status: tokens.status,
  }, { clientId: portal.clientID, clientSecret: portal.secret });
}

const own = portal.tls ? { CLIENT_ID: 'interop-client-id' } : {};
const b24 = portal.tls ? B24Hook.fromWebhookUrl(portal.hook) : application(tokens.expires);

async function call(client, method, params = {}) {
  const answer = await client.actions.v2.call.make({ method, params });
  if (!answer.isSuccess) throw new Error(answer.getErrorMessages().join('; '));
  return answer.getData().result;
}

if (!portal.tls) {
  await step('webhook without TLS', () => {
    try {
      B24Hook.fromWebhookUrl(portal.hook);
    } catch (error) {
      return error.code;
    }
    return 'accepted';
  });
}
await step('health check', () => b24.tools.healthCheck.make());
await step('ping', () => b24.tools.ping.make());
await step('register', async () => {
  own.BOT_ID = await call(b24, 'imbot.register', {
    ...own, CODE: 'interop', EVENT_HANDLER: 'http://127.0.0.1:9/', PROPERTIES: { NAME: 'Interop' },
  });
  return own.BOT_ID;
});
await step('message with keyboard', () => call(b24, 'imbot.message.add', {
  ...own, DIALOG_ID: String(portal.person), MESSAGE: '[B]Hello[/B] + 100 % & # ж', KEYBOARD: keyboard,
}));
await step('batch of 50 with references', async () => {
  const answer = await b24.actions.v2.batch.make({ calls: batchOf(own), options: { isHaltOnError: true } });
  if (!answer.isSuccess) throw new Error(answer.getErrorMessages().join('; '));
  return answer.getData();
});
await step('OAuth call', () => call(application(tokens.expires), 'profile'));
await step('renewal', async () => {
  const client = application(1); // long expired, so the SDK renews before it calls
  const renewed = [];
  client.setCallbackRefreshAuth(async ({ b24OAuthParams }) => { renewed.push(b24OAuthParams.accessToken); });
  const profile = await call(client, 'profile');
  return { profile, access_token: renewed[0], times: renewed.length };
});
