package messenger

import (
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"

	"github.com/imbot-go/imbot"
)

// maxFile is how many bytes a portal takes of a file.
const maxFile = 100<<20 - 1

// file answers with a file of a message. A browser shows pictures only, and stores everything
// else, because a file of somebody may be a page with scripts.
func (h *handler) file(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	f, ok := h.portal.File(imbot.ID(number(q, "user")), imbot.ID(number(q, "message")), imbot.ID(number(q, "id")))
	if !ok {
		reply(w, nil, statusError{http.StatusNotFound, "there is no such file"})
		return
	}
	kind := pictureType(f.Content)
	if kind == "" {
		kind = "application/octet-stream"
		w.Header().Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": f.Name}))
	}
	w.Header().Set("Content-Type", kind)
	_, _ = w.Write(f.Content)
}

// sayFile takes the file that somebody sends. Its content is the body: as JSON it would take the
// memory of several files.
func (h *handler) sayFile(w http.ResponseWriter, r *http.Request) {
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/octet-stream" {
		fail(w, http.StatusUnsupportedMediaType, errors.New("the body has to be application/octet-stream"))
		return
	}
	content, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxFile))
	if err != nil {
		fail(w, http.StatusRequestEntityTooLarge, fmt.Errorf("the file is cut off or larger than %d bytes", maxFile))
		return
	}
	q := r.URL.Query()
	dialog := imbot.DialogID(q.Get("dialog"))
	m, err := h.portal.SayFile(r.Context(), imbot.ID(number(q, "user")), dialog, q.Get("name"), content, q.Get("text"))
	if err != nil {
		reply(w, nil, err)
		return
	}
	reply(w, map[string]message{"message": newMessage(m, dialog)}, nil)
}
