package imbot_test

import (
	"encoding/json"
	"fmt"
	"log"

	"github.com/imbot-go/imbot"
)

func ExampleKeyboard() {
	keyboard := imbot.Keyboard{Rows: [][]imbot.Button{
		{
			{Text: "Yes", Action: imbot.ActionCommand{Command: "vote", Params: "yes"}, Block: imbot.Yes},
			{Text: "No", Action: imbot.ActionCommand{Command: "vote", Params: "no"}, Block: imbot.Yes},
		},
		{{Text: "What is this about?", Action: imbot.ActionLink("https://example.com/votes/5")}},
	}}
	printJSON(keyboard)
	// Output:
	// {
	//   "BUTTONS": [
	//     {
	//       "TEXT": "Yes",
	//       "COMMAND": "vote",
	//       "COMMAND_PARAMS": "yes",
	//       "BLOCK": "Y",
	//       "DISPLAY": "LINE"
	//     },
	//     {
	//       "TEXT": "No",
	//       "COMMAND": "vote",
	//       "COMMAND_PARAMS": "no",
	//       "BLOCK": "Y",
	//       "DISPLAY": "LINE"
	//     },
	//     {
	//       "TYPE": "NEWLINE"
	//     },
	//     {
	//       "TEXT": "What is this about?",
	//       "LINK": "https://example.com/votes/5"
	//     }
	//   ]
	// }
}

func ExampleAttach() {
	attach := imbot.Attach{Color: imbot.AttachColorAttention, Blocks: []imbot.Block{
		imbot.BlockMessage("The disk is [B]almost full[/B]"),
		imbot.BlockGrid{{Name: "Path", Value: `D:\backup`, Display: imbot.GridDisplayRow}},
	}}
	printJSON(attach)
	// Output:
	// {
	//   "COLOR": "#e8a441",
	//   "BLOCKS": [
	//     {
	//       "MESSAGE": "The disk is [B]almost full[/B]"
	//     },
	//     {
	//       "GRID": [
	//         {
	//           "NAME": "Path",
	//           "VALUE": "D:\\\\backup",
	//           "DISPLAY": "ROW"
	//         }
	//       ]
	//     }
	//   ]
	// }
}

func printJSON(v any) {
	data, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(string(data))
}
