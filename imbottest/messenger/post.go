package messenger

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest"
)

// nothing is the answer when there is nothing to tell.
var nothing = struct{}{}

func decode(body []byte, into any) error {
	if json.Unmarshal(body, into) != nil {
		return errors.New("the body is not what is expected here")
	}
	return nil
}

func (h *handler) say(r *http.Request, body []byte) (any, error) {
	var in struct {
		User   imbot.ID
		Dialog imbot.DialogID
		Text   string
	}
	if err := decode(body, &in); err != nil {
		return nil, err
	}
	m, err := h.portal.Say(r.Context(), in.User, in.Dialog, in.Text)
	if err != nil {
		return nil, err
	}
	return map[string]message{"message": newMessage(m, in.Dialog)}, nil
}

func (h *handler) press(r *http.Request, body []byte) (any, error) {
	var in struct {
		User    imbot.ID
		Message imbot.ID
		Kind    string
		Index   int
	}
	if err := decode(body, &in); err != nil {
		return nil, err
	}
	m := imbottest.Message{ID: in.Message}
	if in.Kind == "menu" {
		return nothing, h.portal.PressItem(r.Context(), in.User, m, in.Index)
	}
	return nothing, h.portal.PressButton(r.Context(), in.User, m, in.Index)
}

// messageRequest is what the page posts to do something with a message.
type messageRequest struct {
	User     imbot.ID
	Message  imbot.ID
	Text     string
	Reaction string
	Dialog   imbot.DialogID // where to forward it
}

func (c messageRequest) message() imbottest.Message { return imbottest.Message{ID: c.Message} }

func (h *handler) edit(r *http.Request, body []byte) (any, error) {
	var in messageRequest
	if err := decode(body, &in); err != nil {
		return nil, err
	}
	return nothing, h.portal.Edit(r.Context(), in.User, in.message(), in.Text)
}

func (h *handler) delete(r *http.Request, body []byte) (any, error) {
	var in messageRequest
	if err := decode(body, &in); err != nil {
		return nil, err
	}
	return nothing, h.portal.Delete(r.Context(), in.User, in.message())
}

func (h *handler) react(r *http.Request, body []byte) (any, error) {
	var in messageRequest
	if err := decode(body, &in); err != nil {
		return nil, err
	}
	return nothing, h.portal.React(r.Context(), in.User, in.message(), in.Reaction)
}

func (h *handler) forward(r *http.Request, body []byte) (any, error) {
	var in messageRequest
	if err := decode(body, &in); err != nil {
		return nil, err
	}
	_, err := h.portal.Forward(r.Context(), in.User, in.message(), in.Dialog)
	return nothing, err
}

func (h *handler) open(r *http.Request, body []byte) (any, error) {
	var in struct{ User, Bot imbot.ID }
	if err := decode(body, &in); err != nil {
		return nil, err
	}
	if err := h.portal.Open(r.Context(), in.User, in.Bot); err != nil {
		return nil, err
	}
	return map[string]imbot.DialogID{"dialog": imbot.UserDialog(in.Bot)}, nil
}

// chatRequest is what the page posts to make a chat or change its members.
type chatRequest struct {
	User    imbot.ID
	Dialog  imbot.DialogID
	Title   string
	Members []imbot.ID
}

func (h *handler) chat(_ *http.Request, body []byte) (any, error) {
	var in chatRequest
	if err := decode(body, &in); err != nil {
		return nil, err
	}
	if h.portal.Name(in.User) == "" {
		return nil, statusError{http.StatusNotFound, "there is no user " + in.User.String()}
	}
	id := h.portal.AddChat(strings.TrimSpace(in.Title), append([]imbot.ID{in.User}, in.Members...)...)
	return map[string]imbot.DialogID{"dialog": imbot.ChatDialog(id)}, nil
}

func (h *handler) invite(r *http.Request, body []byte) (any, error) {
	var in chatRequest
	if err := decode(body, &in); err != nil {
		return nil, err
	}
	id, _ := in.Dialog.ChatID()
	return nothing, h.portal.Invite(r.Context(), in.User, id, in.Members...)
}

func (h *handler) kick(r *http.Request, body []byte) (any, error) {
	var in chatRequest
	if err := decode(body, &in); err != nil {
		return nil, err
	}
	id, _ := in.Dialog.ChatID()
	return nothing, h.portal.Kick(r.Context(), in.User, id, in.Members...)
}

func (h *handler) addUser(_ *http.Request, body []byte) (any, error) {
	var in struct{ First, Last string }
	if err := decode(body, &in); err != nil {
		return nil, err
	}
	first, last := strings.TrimSpace(in.First), strings.TrimSpace(in.Last)
	if first+last == "" {
		return nil, errors.New("a person needs a name")
	}
	return map[string]imbot.ID{"user": h.portal.AddUser(first, last)}, nil
}

func (h *handler) replay(r *http.Request, body []byte) (any, error) {
	var in struct{ ID int64 }
	if err := decode(body, &in); err != nil {
		return nil, err
	}
	x, err := h.portal.Replay(r.Context(), in.ID)
	if err != nil {
		return nil, err
	}
	return map[string]any{"status": x.Status, "id": x.ID}, nil
}
