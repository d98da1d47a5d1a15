package imbot

import (
	"context"
	"io"
)

// Download writes to w the file of a link that imbot.v2.File.download or disk.file.get gave,
// and returns how many bytes it wrote. The File service of package imbotv2 asks for the link
// and downloads in one.
//
// A link holds the client's credential: one that is not of the portal's own host is refused
// with [ErrInvalid], as is a link for browsers from an event, and no error shows any. One
// redirect is followed, to the portal or to a public host over https, which gets no credential.
//
// A file of more than most bytes fails with [ErrTooLarge], when the portal does not tell its
// size after most bytes were written. Nothing is repeated. Without an earlier end of ctx the
// download ends after five minutes. w may have got a part when it fails.
func (c *Client) Download(ctx context.Context, link FileURL, w io.Writer, most int64) (int64, error) {
	if w == nil || most <= 0 {
		return 0, invalid("", "Download: needs a writer, and how many bytes at most")
	}
	n, f := c.rest.Download(ctx, string(link), w, most)
	if f != nil {
		return n, failure(f)
	}
	return n, nil
}
