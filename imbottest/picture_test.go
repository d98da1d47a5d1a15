package imbottest_test

import (
	"encoding/base64"
	"testing"

	"github.com/stretchr/testify/require"
)

// smallPNG is the beginning of a PNG of 4×2 pixels, which is all that the portal reads.
var smallPNG = []byte("\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x04\x00\x00\x00\x02\x08\x02\x00\x00\x00")

func TestAvatar(t *testing.T) {
	t.Parallel()
	portal := newTestPortal(t)
	picture := base64.StdEncoding.EncodeToString(smallPNG)
	require.Equal(t, "105", post(t, portal, "imbot.register", `{"CLIENT_ID":"one","CODE":"third",`+bindings+`,"PROPERTIES":{"NAME":"Third","PERSONAL_PHOTO":"`+picture+`"}}`))
	require.Equal(t, smallPNG, portal.Avatar("105"))
	require.Nil(t, portal.Avatar("103"))
	require.Nil(t, portal.Avatar("99"))
	require.Nil(t, portal.Avatar("chat1001"))
	require.Equal(t, "true", post(t, portal, "imbot.chat.updateAvatar", `{"CLIENT_ID":"one","CHAT_ID":1001,"AVATAR":["a.png","`+picture+`"]}`))
	require.Equal(t, smallPNG, portal.Avatar("chat1001"))
	require.Nil(t, portal.Avatar("nothing"))
}
