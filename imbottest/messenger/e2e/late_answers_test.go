package e2e

import (
	"fmt"
	"testing"

	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
)

// When an answer arrives late, it does not undo what the person has done meanwhile.
func TestLateAnswersDoNotUndoWhatAPersonDid(t *testing.T) {
	type scene struct {
		*testbed
		room, other imbot.DialogID
	}
	annas := func(s scene) string { return "user=" + s.anna.String() }
	arrived := func(s scene) string { return `location.hash.includes("` + annas(s) + `&")` }

	for _, row := range []struct {
		name string
		test func(t *testing.T, g *holdingProxy, b *tab, s scene)
	}{
		{"a dialog that is chosen while another person's state is on its way", func(t *testing.T, g *holdingProxy, b *tab, s scene) {
			state := g.hold("api/state", annas(s), false)
			b.actAs(s.anna)
			state.wait(t)
			b.click(dialog(s.other))
			state.release()
			b.sees("#title", "Other")
			b.until(arrived(s))
		}},
		{"a dialog that is chosen while the state is loaded anew", func(t *testing.T, g *holdingProxy, b *tab, s scene) {
			state := g.hold("api/state", "user=1", false)
			eval[int](b, `dispatchEvent(new PageTransitionEvent("pageshow", {persisted: true})), 0`)
			state.wait(t)
			b.click(dialog(s.other))
			b.sees("#title", "Other")
			state.release()
			b.until(`performance.getEntriesByType("resource").filter(r => r.name.includes("api/state")).length === 2`)
			b.settles("#title", "Other")
		}},
		{"a person who is chosen while the state is loaded anew, because changes were missed", func(t *testing.T, g *holdingProxy, b *tab, s scene) {
			state := g.hold("api/state", annas(s), false)
			b.actAs(s.anna)
			state.wait(t)
			eval[int](b, `dispatchEvent(new PageTransitionEvent("pageshow", {persisted: true})), 0`)
			b.until(arrived(s))
			state.release()
			b.settles("#title", "Room")
			require.True(t, eval[bool](b, fmt.Sprintf(`document.querySelector("#actor").value === "%d"`, s.anna)))
		}},
		{"a person who is chosen while somebody joins the portal", func(t *testing.T, g *holdingProxy, b *tab, s scene) {
			state := g.hold("api/state", annas(s), false)
			b.actAs(s.anna)
			state.wait(t)
			s.portal.AddUser("Newcomer", "")
			b.sees("nav", "Newcomer")
			require.True(t, eval[bool](b, fmt.Sprintf(`document.querySelector("#actor").value === "%d"`, s.anna)), "the choice stays")
			state.release()
			b.until(arrived(s))
		}},
		{"what is written while another person's state is on its way is that person's", func(t *testing.T, g *holdingProxy, b *tab, s scene) {
			state := g.hold("api/state", annas(s), false)
			b.actAs(s.anna)
			state.wait(t)
			b.click("#text")
			b.press("as Anna" + kb.Enter + "and more")
			b.until(has("#messages .text", "as Anna"))
			state.release()
			b.until(arrived(s))
			b.sees(fmt.Sprintf(`#messages .own[data-author="%d"] .text`, s.anna), "as Anna")
			require.Equal(t, "and more", eval[string](b, `document.querySelector("#text").value`))
		}},
		{"the last of two dialogs with bots", func(t *testing.T, g *holdingProxy, b *tab, s scene) {
			open := g.hold("api/open", "", false)
			b.click(dialog(imbot.UserDialog(s.bot)))
			open.wait(t)
			b.click(dialog(s.other))
			b.sees("#title", "Other")
			open.release()
			b.until(fmt.Sprintf(`document.querySelector("#dialogs [data-dialog='%d']")`, s.bot))
			b.settles("#title", "Other")
		}},
		{"the focus that went elsewhere", func(t *testing.T, g *holdingProxy, b *tab, s scene) {
			messages := g.hold("api/messages", "dialog="+string(s.other), false)
			b.click(dialog(s.other))
			messages.wait(t)
			b.click("#search")
			messages.release()
			b.until(`!document.querySelector("#welcome").hidden`)
			b.settles("#title", "Other")
			require.True(t, b.focused("#search"))
		}},
		{"messages arrive in the order in which they were written", func(t *testing.T, g *holdingProxy, b *tab, s scene) {
			say := g.hold("api/say", "first", true)
			b.click("#text")
			b.press("the first" + kb.Enter)
			say.wait(t)
			b.press("the second" + kb.Enter)
			say.release()
			b.sees("#messages .text", "the second")
			require.True(t, eval[bool](b, `(() => {
				const texts = [...document.querySelectorAll("#messages .text")].map(e => e.textContent);
				return texts.indexOf("the first") >= 0 && texts.indexOf("the first") < texts.indexOf("the second");
			})()`))
		}},
		{"what could not be said is not lost, whatever was written after it", func(t *testing.T, g *holdingProxy, b *tab, s scene) {
			say := g.hold("api/say", "unlucky", true)
			b.click("#text")
			b.press("unlucky" + kb.Enter)
			say.wait(t)
			b.press("next")
			say.refuse()
			b.until(`document.querySelector("#text").value === "unlucky\nnext"`)

			say = g.hold("api/say", "unlucky", true)
			b.press(kb.Enter)
			say.wait(t)
			b.click(dialog(s.other))
			b.sees("#title", "Other")
			say.refuse()
			b.sees(".toast.bad", "refused by the proxy")
			b.click(dialog(s.room))
			b.until(`document.querySelector("#text").value === "unlucky\nnext"`)
		}},
		{"messages that could not be fetched are fetched again", func(t *testing.T, g *holdingProxy, b *tab, s scene) {
			_, err := s.portal.Say(t.Context(), s.anna, s.other, "before")
			require.NoError(t, err)
			messages := g.hold("api/messages", "dialog="+string(s.other)+"&before=0&limit=50", false)
			b.click(dialog(s.other))
			messages.wait(t)
			messages.refuse()
			b.sees(".toast.bad", "refused by the proxy")
			b.sees("#messages .text", "before")
		}},
		{"calls that were told of before their list came", func(t *testing.T, g *holdingProxy, b *tab, s scene) {
			b.sees("#exchanges", "imbot.register") // the page has loaded its first list
			exchanges := g.hold("api/exchanges", "before=0", true)
			eval[int](b, `dispatchEvent(new PageTransitionEvent("pageshow", {persisted: true})), 0`)
			exchanges.wait(t)
			_, err := s.client.Bot.List(t.Context(), imbot.BotListRequest{})
			require.NoError(t, err)
			b.until(`document.querySelectorAll("#exchanges li").length === 1`)
			_, err = s.client.Bot.List(t.Context(), imbot.BotListRequest{}) // this one comes in the list first and in the stream later
			require.NoError(t, err)
			exchanges.release()
			b.settles("#exchanges", "imbot.register")
			require.True(t, eval[bool](b, `(() => {
				const ids = [...document.querySelectorAll("#exchanges li")].map(e => Number(e.dataset.exchange));
				return ids.every((id, i) => i === 0 || id < ids[i-1]);
			})()`), "the newest first")
		}},
		{"a list that was closed, when commands change", func(t *testing.T, g *holdingProxy, b *tab, s scene) {
			b.click("#text")
			b.press("/")
			b.sees("#commands [role=option]", "/rules")
			b.press(kb.ArrowDown)
			b.until(`document.querySelector("#commands [aria-selected=true]")?.textContent.includes("/rules")`)
			_, err := s.client.Command.Register(t.Context(), imbot.CommandRegisterRequest{
				Command: "again", EventCommandAdd: "https://e.example/",
				Lang: []imbot.CommandLang{{LanguageID: "en", Title: "Again"}},
			})
			require.NoError(t, err)
			b.sees("#commands [role=option]", "/again")
			require.True(t, eval[bool](b, `document.querySelector("#commands [aria-selected=true]").textContent.includes("/rules")`), "the choice stays")
			b.press(kb.Escape)
			help := g.hold("api/help", "", false)
			_, err = s.client.Command.Register(t.Context(), imbot.CommandRegisterRequest{
				Command: "more", EventCommandAdd: "https://e.example/",
				Lang: []imbot.CommandLang{{LanguageID: "en", Title: "More"}},
			})
			require.NoError(t, err)
			help.wait(t)
			help.release()
			b.settles("#title", "Room")
			require.False(t, eval[bool](b, has("#commands", "")), "it stays closed")
		}},
		{"the focus on a command to try, when the conversation changes", func(t *testing.T, g *holdingProxy, b *tab, s scene) {
			b.tabBackTo("#welcome .try")
			typing := imbot.ChatSendTypingRequest{DialogID: s.room}
			require.NoError(t, s.client.Chat.SendTyping(t.Context(), typing))
			s.portal.AddUser("Another", "")
			b.sees("nav", "Another")
			b.settles("#title", "Room")
			require.True(t, b.focused("#welcome .try"))
		}},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := scene{testbed: newTestbed(t)}
			s.room = imbot.ChatDialog(s.portal.AddChat("Room", 1, s.anna, s.bot))
			s.other = imbot.ChatDialog(s.portal.AddChat("Other", 1, s.anna))
			g := newHoldingProxy(t, s.testbed)
			b := open(t, g.url+"#user=1&dialog="+string(s.room), 1440, 900)
			b.sees("#title", "Room")
			row.test(t, g, b, s)
		})
	}
}

// actAs chooses the person as whom the page acts.
func (b *tab) actAs(id imbot.ID) {
	b.t.Helper()
	eval[int](b, fmt.Sprintf(`(() => {
		const actor = document.querySelector("#actor");
		actor.value = "%d";
		actor.dispatchEvent(new Event("change"));
		return 0;
	})()`, id))
}

// settles checks that an element has a text, and has it still after the timers of the page
// have run.
func (b *tab) settles(selector, text string) {
	b.t.Helper()
	b.sees(selector, text)
	eval[int](b, `new Promise(done => setTimeout(done, 400, 0))`)
	require.True(b.t, eval[bool](b, has(selector, text)), "%s does not say %q any more", selector, text)
}
