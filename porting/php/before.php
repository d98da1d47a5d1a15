<?php
// The address of an application's page and of its events: installs a bot, and repeats what people write to it.
function call(string $method, array $params): array
{
    $url = $_REQUEST['auth']['client_endpoint'] . $method;
    $params['auth'] = $_REQUEST['auth']['access_token'];
    $curl = curl_init($url);
    curl_setopt_array($curl, [
        CURLOPT_POST => true,
        CURLOPT_POSTFIELDS => http_build_query($params),
        CURLOPT_RETURNTRANSFER => true,
    ]);
    return json_decode(curl_exec($curl), true);
}

$known = __DIR__ . '/tokens.json';
$tokens = is_file($known) ? json_decode(file_get_contents($known), true) : [];
$token = $_REQUEST['auth']['application_token'];

switch ($_REQUEST['event']) {
    case 'ONAPPINSTALL':
        call('imbot.register', [
            'CODE' => 'echo',
            'EVENT_HANDLER' => 'https://bot.example.com/events',
            'PROPERTIES' => ['NAME' => 'Echo'],
        ]);
        file_put_contents($known, json_encode($tokens + [$token => true]));
        break;
    case 'ONIMBOTMESSAGEADD':
        if (!isset($tokens[$token])) {
            exit;
        }
        call('imbot.message.add', [
            'DIALOG_ID' => $_REQUEST['data']['PARAMS']['DIALOG_ID'],
            'MESSAGE' => 'You said: ' . $_REQUEST['data']['PARAMS']['MESSAGE'],
        ]);
        break;
}
