package e2e

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
)

// Text has the contrast that people with weak eyes need. In the dark scheme, the page
// lightens the colours of texts, because bots choose them for a white background.
func TestPageHasContrast(t *testing.T) {
	s := newTestbed(t)
	room := imbot.ChatDialog(s.portal.AddChat("Room", 1, s.anna, s.bot))
	for _, code := range []string{"#000000", "#ff0000", "#00f", "#29619b", "#ffffff"} {
		_, err := s.portal.Say(t.Context(), s.anna, room, fmt.Sprintf("[color=%s]%s[/color] [rating=3]", code, code))
		require.NoError(t, err)
	}
	own, err := s.portal.Say(t.Context(), 1, room, "[user=101]Anna[/user]\n>>quoted\n[code]code[/code] https://example.com")
	require.NoError(t, err)
	require.NoError(t, s.portal.Edit(t.Context(), 1, own, own.Text+"!"))
	_, err = s.client.Message.Add(t.Context(), imbot.MessageAddRequest{
		DialogID: room, Message: "An attachment",
		Attach: &imbot.Attach{Blocks: []imbot.Block{
			imbot.BlockLink{Name: "Page", Desc: "About it", Link: "https://example.com"},
			imbot.BlockGrid{{Name: "Name", Value: "Value", Color: "#000000", Display: imbot.GridDisplayRow}},
		}},
		Keyboard: &imbot.Keyboard{Rows: [][]imbot.Button{{
			{Text: "One", Action: imbot.ActionSend("x"), BGColorToken: imbot.ColorTokenPrimary},
			{Text: "Two", Action: imbot.ActionSend("x"), BGColorToken: imbot.ColorTokenSecondary},
			{Text: "Three", Action: imbot.ActionSend("x"), BGColorToken: imbot.ColorTokenAlert},
			{Text: "Four", Action: imbot.ActionSend("x"), BGColor: "#888888"},
		}}},
	})
	require.NoError(t, err)
	gone, err := s.portal.Say(t.Context(), 1, room, "gone")
	require.NoError(t, err)
	require.NoError(t, s.portal.Delete(t.Context(), 1, gone))
	require.Error(t, s.client.Message.Delete(t.Context(), imbot.MessageDeleteRequest{MessageID: 1}))
	b := open(t, s.url+"#user=1&dialog="+string(room), 1440, 900)
	for _, scheme := range []string{"light", "dark"} {
		b.do(chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
			_, err := cdp.Call(ctx, target, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
				Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
			})
			return err
		}))
		b.sees("#messages dd", "Value")
		b.sees("#log .error", "imbot.message.delete")
		require.Empty(t, eval[[]string](b, contrast(scheme == "dark")), scheme)
	}
	b.noAlarms()
}

// contrast is an expression that lists texts with too little contrast. Unless all is true,
// it leaves those out whose colour a person or bot has chosen.
func contrast(all bool) string {
	return fmt.Sprintf(`(() => {
		const paper = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
		const mixed = colors => {
			paper.clearRect(0, 0, 1, 1);
			for (const color of colors) {
				paper.fillStyle = color;
				paper.fillRect(0, 0, 1, 1);
			}
			const [r, g, b] = [...paper.getImageData(0, 0, 1, 1).data].map(d => d / 255).map(c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
			return 0.2126 * r + 0.7152 * g + 0.0722 * b;
		};
		const below = e => e ? [...below(e.parentElement), getComputedStyle(e).backgroundColor] : [];
		const wrong = [];
		for (const e of document.querySelectorAll("body *")) {
			const says = [...e.childNodes].some(n => n.nodeType === Node.TEXT_NODE && n.data.trim() !== "");
			if (!says || !e.checkVisibility({opacityProperty: true}) || e.closest("option, :disabled") || (!%t && e.closest(".shade"))) continue;
			const ground = below(e), a = mixed(ground), b = mixed([...ground, getComputedStyle(e).color]);
			const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
			if (contrast < 4.5) wrong.push(contrast.toFixed(2) + " " + e.outerHTML.slice(0, 120) + " in " + e.parentElement.className);
		}
		return wrong;
	})()`, all)
}

// When a member goes, the focus stays where it is, or goes to the button Close: never to
// the button "Leave", which Enter would press.
func TestMembersKeepTheFocus(t *testing.T) {
	s := newTestbed(t)
	boris := s.portal.AddUser("Boris", "")
	room := s.portal.AddChat("Room", 1, s.anna, boris)
	b := open(t, s.url+fmt.Sprintf("#user=1&dialog=chat%d", room), 1440, 900)
	b.click("#members-open")
	b.sees("#members .name", "Anna")
	require.Equal(t, "Close", eval[string](b, `document.activeElement.textContent`))
	b.tabTo(fmt.Sprintf(`[data-kick="%d"]`, s.anna))
	require.NoError(t, s.portal.Kick(t.Context(), 1, room, boris))
	b.until(fmt.Sprintf(`!document.querySelector('[data-kick="%d"]')`, boris))
	require.True(t, b.focused(fmt.Sprintf(`[data-kick="%d"]`, s.anna)))
	b.press("\r")
	b.until(fmt.Sprintf(`!document.querySelector('[data-kick="%d"]')`, s.anna))
	require.Equal(t, "Close", eval[string](b, `document.activeElement.textContent`))
	b.noAlarms()
}

// When a message is deleted without a notice, the focus stays on another message.
func TestMessagesKeepTheFocusWhenOneIsGone(t *testing.T) {
	s := newTestbed(t)
	room := imbot.ChatDialog(s.portal.AddChat("Room", 1, s.anna, s.bot))
	var ids []imbot.ID
	for range 3 {
		id, err := s.client.Message.Add(t.Context(), imbot.MessageAddRequest{
			DialogID: room, Message: "Choose",
			Keyboard: &imbot.Keyboard{Rows: [][]imbot.Button{{{Text: "This", Action: imbot.ActionSend("this")}}}},
		})
		require.NoError(t, err)
		ids = append(ids, id)
	}
	b := open(t, s.url+"#user=1&dialog="+string(room), 1440, 900)
	key := fmt.Sprintf(`[data-message="%d"] [data-press]`, ids[1])
	b.tabBackTo(key)
	for _, i := range []int{0, 2} {
		require.NoError(t, s.client.Message.Delete(t.Context(), imbot.MessageDeleteRequest{MessageID: ids[i], Complete: imbot.Yes}))
		b.until(fmt.Sprintf(`!document.querySelector('[data-message="%d"]')`, ids[i]))
		require.True(t, b.focused(key))
	}
	_, err := s.portal.Say(t.Context(), s.anna, room, "and on")
	require.NoError(t, err)
	b.sees("#messages .text", "and on")
	b.noAlarms()
}

// For screen readers everything that takes the focus has a name, and headings do not skip
// a level.
func TestPageIsReadAloud(t *testing.T) {
	s := newTestbed(t)
	room := imbot.ChatDialog(s.portal.AddChat("Room", 1, s.anna, s.bot))
	_, err := s.client.Message.Add(t.Context(), imbot.MessageAddRequest{
		DialogID: room, Message: "Choose",
		Keyboard: &imbot.Keyboard{Rows: [][]imbot.Button{{{Text: "This", Action: imbot.ActionSend("this")}}}},
		Menu:     &imbot.Menu{Items: []imbot.MenuItem{{Text: "Item", Action: imbot.ActionSend("item")}}},
	})
	require.NoError(t, err)
	b := open(t, s.url+"#user=1&dialog="+string(room), 1440, 900)
	b.click(b.exchange("imbot.message.add") + " [aria-expanded]")
	b.sees("#log .sent", "Choose")
	for _, look := range []struct{ name, open, close string }{
		{"the page", `0`, `0`},
		{"a menu", `document.querySelector("[aria-haspopup=menu]").click()`, `document.querySelector(".menu").hidePopover()`},
		{"the members", `document.querySelector("#members-open").click()`, `document.querySelector("#members").close()`},
		{"a new chat", `document.querySelector("#new-chat-open").click()`, `document.querySelector("#new-chat").close()`},
		{"a new person", `document.querySelector("#add-person-open").click()`, `document.querySelector("#add-person").close()`},
	} {
		eval[int](b, look.open+", 0")
		var tree []*accessibility.Node
		b.do(chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
			got, err := cdp.Call(ctx, target, accessibility.GetFullAXTree, accessibility.GetFullAXTreeParams{})
			if err == nil {
				tree = got.Nodes
			}
			return err
		}))
		found := map[string]int{}
		for _, node := range tree {
			if node.Ignored || node.Role == nil {
				continue
			}
			role, name := text(node.Role), text(node.Name)
			found[role]++
			switch role {
			case "button", "link", "combobox", "textbox", "searchbox", "checkbox", "menuitem", "option", "listbox", "toolbar", "dialog", "menu", "log", "complementary", "main", "navigation", "heading":
				require.NotEmpty(t, name, "%s: a %s without a name, %s", look.name, role, node.NodeID)
			}
		}
		t.Log(look.name, found)
		require.NotZero(t, found["button"])
		eval[int](b, look.close+", 0")
	}
	require.Equal(t, []string{"H2 Contacts", "H1 Room", "H2 Calls and events", "H3 Sent", "H3 Answer"}, eval[[]string](b,
		`[...document.querySelectorAll("h1, h2, h3, h4")].filter(e => e.checkVisibility()).map(e => e.tagName + " " + e.textContent)`))
	b.noAlarms()
}

func text(v *accessibility.Value) string {
	if v == nil {
		return ""
	}
	return strings.Trim(string(v.Value), `"`)
}
