package imbot_test

import (
	"encoding/json"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/bbcode"
)

// TestColors holds the colours against the spec: those that are documented and
// that the portal lets a bot set.
func TestColors(t *testing.T) {
	data, err := os.ReadFile("testdata/spec/messages.json")
	require.NoError(t, err)
	var spec struct {
		Colors []struct {
			Name, Hex            string
			Documented, Settable *bool
		}
	}
	require.NoError(t, json.Unmarshal(data, &spec))

	var names []imbot.Color
	for _, c := range spec.Colors {
		color := imbot.Color(c.Name)
		if c.Documented != nil && !*c.Documented || c.Settable != nil && !*c.Settable {
			require.Empty(t, color.Hex(), "%s is not for everybody", c.Name)
			continue
		}
		names = append(names, color)
		require.Equal(t, c.Hex, color.Hex(), c.Name)
	}
	require.NotEmpty(t, names)
	require.Equal(t, names, imbot.Colors())
	require.NotSame(t, &imbot.Colors()[0], &imbot.Colors()[0], "a caller could change everybody's list")
}

func TestColorConstants(t *testing.T) {
	require.ElementsMatch(t, imbot.Colors(), []imbot.Color{
		imbot.ColorRed, imbot.ColorGreen, imbot.ColorMint, imbot.ColorLightBlue, imbot.ColorDarkBlue, imbot.ColorPurple, imbot.ColorAqua, imbot.ColorPink,
		imbot.ColorLime, imbot.ColorBrown, imbot.ColorAzure, imbot.ColorKhaki, imbot.ColorSand, imbot.ColorMarengo, imbot.ColorGray, imbot.ColorGraphite,
	})
}

func TestColorsAreKeptWhenRead(t *testing.T) {
	var c imbot.Color
	require.NoError(t, json.Unmarshal([]byte(`"TEAL"`), &c))
	require.Equal(t, imbot.Color("TEAL"), c)
	require.Empty(t, c.Hex())
	require.Empty(t, imbot.Color("mint").Hex(), "the portal does not take lower case")
}

func TestHexColorsText(t *testing.T) {
	require.Equal(t, "[color=#4ba984]a[/color]", bbcode.TextColor(imbot.ColorMint.Hex(), "a"))
}
