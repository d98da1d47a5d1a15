package e2e

import (
	"encoding/base64"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"strings"
	"testing"

	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest"
	"github.com/imbot-go/imbot/imbotv2"
)

// sunset is a picture of 640 × 360 pixels.
func sunset() []byte {
	picture := image.NewRGBA(image.Rect(0, 0, 640, 360))
	for y := range 360 {
		for x := range 640 {
			c := color.RGBA{R: 250, G: uint8(200 - y/3), B: uint8(60 + y/4), A: 255}
			if dx, dy := x-320, y-240; dx*dx+dy*dy < 80*80 {
				c = color.RGBA{R: 255, G: 226, B: 120, A: 255}
			}
			picture.Set(x, y, c)
		}
	}
	var out strings.Builder
	_ = png.Encode(&out, picture) // a builder takes everything
	return []byte(out.String())
}

// chooses lets the person choose a file for the page to send.
func (b *tab) chooses(name string, content []byte) {
	b.t.Helper()
	require.True(b.t, eval[bool](b, fmt.Sprintf(`(() => {
		const files = new DataTransfer();
		files.items.add(new File([Uint8Array.from(atob(%q), c => c.charCodeAt(0))], %q));
		const input = document.querySelector("#file");
		input.files = files.files;
		return input.dispatchEvent(new Event("change"));
	})()`, base64.StdEncoding.EncodeToString(content), name)))
}

// A person sends files, sees those of a bot, and stores what is no picture.
func TestFilesInThePage(t *testing.T) {
	s := newTestbed(t)
	files := imbotv2.From(s.client).File
	dice := imbot.UserDialog(s.bot)
	b := open(t, s.url+fmt.Sprintf("#user=%d&dialog=%s", s.anna, dice), 1600, 900)
	b.click("#text")
	b.press("look at this")
	b.chooses("sunset.png", sunset())
	b.sees("#messages .own .text", "look at this")
	b.until(`(() => { const p = document.querySelector("#messages .own img.picture"); return p?.naturalWidth === 640 && p.width === 320 && p.height === 180; })()`)
	require.Empty(t, eval[string](b, `document.querySelector("#text").value`), "the text went with the file")
	b.sees("#messages .other .text", "You said: look at this")
	sent := s.portal.Messages(s.anna, dice)[0].Files[0]
	require.Equal(t, "sunset.png", sent.Name)
	require.Equal(t, sunset(), sent.Content)

	_, err := files.Upload(t.Context(), imbotv2.FileUploadRequest{DialogID: imbot.UserDialog(s.anna), Name: "<b>.html", Content: []byte("<script>alert(1)</script>")})
	require.NoError(t, err)
	b.sees("#messages .other .block.file", "_b_.html25 B")
	b.sees(dialog(dice), "_b_.html")
	require.Equal(t, "_b_.html", eval[string](b, `document.querySelector("#messages .other .block.file a").download`))
	require.Equal(t, "attachment", eval[string](b, `fetch(document.querySelector("#messages .other .block.file a").href).then(r => r.headers.get("Content-Disposition").split(";")[0])`))

	b.noAlarms()
	b.chooses("empty.txt", nil)
	b.sees("#toasts", "a file needs") // the browser counts the refusal as an error
}

// People react, with the mouse and with keys, and forward what somebody else wrote.
func TestReactionsAndForwardsInThePage(t *testing.T) {
	s := newTestbed(t)
	dice := imbot.UserDialog(s.bot)
	boris := s.portal.AddUser("Boris", "Petrov")
	said, err := s.portal.Ask(t.Context(), s.anna, dice, "hello")
	require.NoError(t, err)
	item := fmt.Sprintf(`#messages [data-message="%d"]`, said.ID)
	b := open(t, s.url+fmt.Sprintf("#user=%d&dialog=%s", s.anna, dice), 1200, 900)
	b.click(item + ` [aria-label="React"]`)
	b.until(`document.activeElement.getAttribute("aria-label") === "like"`)
	b.press(kb.ArrowRight + kb.ArrowRight + kb.ArrowRight + kb.Enter)
	b.sees(item+` .reaction[aria-pressed="true"]`, "❤️1")
	b.until(`!document.querySelector("#reactions").matches(":popover-open")`)
	_, err = imbot.Do(t.Context(), s.client, imbotv2.MessageAddReactionRequest{MessageID: said.ID, Reaction: imbotv2.ReactionRedHeart})
	require.NoError(t, err)
	b.sees(item+" .reaction", "❤️2")
	b.click(item + " .reaction") // takes the person's away
	b.sees(item+` .reaction[aria-pressed="false"]`, "❤️1")
	require.Equal(t, []imbottest.Reaction{{User: s.bot, Reaction: "redHeart"}}, s.portal.Messages(s.anna, dice)[1].Reactions)

	b.click(item + ` [aria-label="Forward"]`)
	b.until(`document.activeElement.id === "forward-to"`)
	b.press("Boris" + kb.Tab + kb.Tab + kb.Enter)
	b.until(`!document.querySelector("#forward").open`)
	b.click(dialog(imbot.UserDialog(boris)))
	b.sees("#messages .own .forwarded", "From Dice")
	b.sees("#messages .own .text", "You said: hello")
	b.noAlarms()
}

// A bot takes the input field away, and gives it back.
func TestAClosedDialogInThePage(t *testing.T) {
	s := newTestbed(t)
	require.NoError(t, s.portal.Open(t.Context(), s.anna, s.bot))
	b := open(t, s.url+fmt.Sprintf("#user=%d&dialog=%d", s.anna, s.bot), 1200, 900)
	for _, on := range []imbot.Flag{imbot.No, imbot.Yes} {
		_, err := imbot.Do(t.Context(), s.client, imbotv2.ChatSetTextFieldRequest{DialogID: imbot.UserDialog(s.anna), Enabled: on})
		require.NoError(t, err)
		b.until(fmt.Sprintf(`document.querySelector("#text").disabled === %t && document.querySelector("#attach").disabled === %t`, on == imbot.No, on == imbot.No))
	}
	b.noAlarms()
}
