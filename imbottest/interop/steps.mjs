// What the scripts of this folder have in common: INTEROP holds what examples/portal has
// printed, and each step prints one line of JSON with its value or its error.
export const portal = JSON.parse(process.env.INTEROP);

export async function step(name, run) {
  try {
    print({ step: name, value: await run() });
  } catch (error) {
    print({ step: name, error: `${error?.stack ?? error}` });
  }
}

function print(line) {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

export const keyboard = [
  { TEXT: 'Docs & more', LINK: 'https://example.com/?a=1&b=2' },
  { TYPE: 'NEWLINE' },
  { TEXT: 'Roll', COMMAND: 'roll', COMMAND_PARAMS: '6 #1', BG_COLOR: '#29619b' },
];

// batchOf are fifty commands: a chat, and 49 messages in it, which name the chat by a
// reference to the result of the first.
export function batchOf(own) {
  const calls = { chat: { method: 'imbot.chat.add', params: { ...own, TITLE: 'From a batch', USERS: [portal.person] } } };
  for (let i = 1; i < 50; i++) {
    calls[`m${i}`] = { method: 'imbot.message.add', params: { ...own, DIALOG_ID: 'chat$result[chat]', MESSAGE: `${i} + 100 % & # ? ж` } };
  }
  return calls;
}
