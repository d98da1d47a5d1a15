package main

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/imbot-go/imbot"
)

// listening is where events are posted to.
type listening struct {
	url      string // from outside
	listener net.Listener
	patience time.Duration // for posts that the portal owes
}

// A post is what is kept of a posted event: no text of it.
type post struct {
	v1       bool // it came to the address of the bot of the first generation
	event    string
	bot      string // whom it is for; the addresses of an owner's bots may get the posts of all
	form     bool
	signed   bool // a header sounds like a proof
	token    tokenShape
	mention  bool // MESSAGE holds one
	original bool // MESSAGE_ORIGINAL does
}

// tokenShape is what application_token is made of.
type tokenShape string

const (
	tokenCustom tokenShape = `"custom" and the bot token`
	tokenBare   tokenShape = "the bot token"
	tokenOther  tokenShape = "something else"
	tokenNone   tokenShape = "none"
)

// A mailbox takes posted events.
type mailbox struct {
	secret string // of the bots
	path   string // a random one, so that nobody else posts here

	mu    sync.Mutex
	posts []post
	came  chan struct{} // closed when there is a further one
}

// mostPost is how much of an event is read.
const mostPost = 1 << 20

// serve takes posts until stop is called.
func (c *check) serve() (stop func(), err error) {
	path, err := c.newSecret()
	if err != nil {
		return nil, err
	}
	c.mailbox = &mailbox{secret: c.journal.Secret, path: path, came: make(chan struct{})}
	server := &http.Server{Handler: c.mailbox, ReadTimeout: 10 * time.Second}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.Serve(c.listen.listener) // until stop
	}()
	return func() {
		_ = server.Close()
		<-done
	}, nil
}

// The generations of our bots, in their addresses.
const (
	first  = "1"
	second = "2"
)

// handlerURL is the address of our bots of a generation.
func (c *check) handlerURL(generation string) (string, error) {
	u, err := url.Parse(c.listen.url)
	if err != nil || u.Host == "" {
		return "", notAsked("the address of -listen is none")
	}
	q := u.Query()
	q.Set("livecheck", c.mailbox.path)
	q.Set("generation", generation)
	u.RawQuery = q.Encode()
	return u.String(), nil
}

func (m *mailbox) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	if query.Get("livecheck") != m.path {
		http.NotFound(w, r)
		return
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, mostPost))
	if err != nil {
		return
	}
	m.note(query.Get("generation") == first, r.Header, body)
}

// note keeps what is asked about a post.
func (m *mailbox) note(v1 bool, header http.Header, body []byte) {
	kind, _, _ := mime.ParseMediaType(header.Get("Content-Type")) // an unknown one is no form
	p := post{v1: v1, form: kind == "application/x-www-form-urlencoded"}
	if p.form {
		values, _ := url.ParseQuery(string(body)) // what can be read of it
		p.event, p.token = values.Get("event"), m.shape(values.Get("auth[application_token]"))
		p.bot = values.Get("data[bot][id]")
		p.mention = strings.Contains(strings.ToUpper(values.Get("data[PARAMS][MESSAGE]")), "[USER=")
		p.original = strings.Contains(strings.ToUpper(values.Get("data[PARAMS][MESSAGE_ORIGINAL]")), "[USER=")
	} else {
		var event struct {
			Event string `json:"event"`
			Auth  struct {
				Token string `json:"application_token"`
			} `json:"auth"`
			Data struct {
				Bot struct {
					ID json.Number `json:"id"`
				} `json:"bot"`
			} `json:"data"`
		}
		_ = json.Unmarshal(body, &event) // what is neither has no event
		p.event, p.token, p.bot = event.Event, m.shape(event.Auth.Token), event.Data.Bot.ID.String()
	}
	p.event = strings.ToUpper(p.event)
	for name := range header {
		name = strings.ToLower(name)
		p.signed = p.signed || strings.Contains(name, "sign") || strings.Contains(name, "hmac") || strings.Contains(name, "digest")
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.posts = append(m.posts, p)
	close(m.came)
	m.came = make(chan struct{})
}

func (m *mailbox) shape(token string) tokenShape {
	same := func(with string) bool { return subtle.ConstantTimeCompare([]byte(token), []byte(with)) == 1 }
	switch {
	case token == "":
		return tokenNone
	case same(m.secret):
		return tokenBare
	case same("custom" + m.secret):
		return tokenCustom
	}
	return tokenOther
}

// await waits until posts satisfy enough, or for so long.
func (m *mailbox) await(ctx context.Context, most time.Duration, enough func([]post) bool) []post {
	ctx, cancel := context.WithTimeout(ctx, most)
	defer cancel()
	for {
		m.mu.Lock()
		posts, came := slices.Clone(m.posts), m.came
		m.mu.Unlock()
		if enough(posts) {
			return posts
		}
		select {
		case <-came:
		case <-ctx.Done():
			return posts
		}
	}
}

// A stage is the chat of the tier that listens.
type stage struct {
	posts []post // after the person wrote
}

// stage makes the bots, puts them into a chat with whoever runs this, and asks for one message.
func (c *check) stage(ctx context.Context) (stage, error) {
	return c.room.stage.get(func() (stage, error) {
		stop, err := c.serve()
		if err != nil {
			return stage{}, err
		}
		defer stop()
		var bots []imbot.ID
		address, err := c.handlerURL(second)
		if err != nil {
			return stage{}, err
		}
		for range 2 {
			bot, _, err := c.register(ctx, fields{"eventMode": "webhook", "webhookUrl": address})
			if err != nil {
				return stage{}, err
			}
			bots = append(bots, bot)
		}
		if address, err = c.handlerURL(first); err != nil {
			return stage{}, err
		}
		v1, err := c.registerV1(ctx, address)
		if err != nil {
			return stage{}, err
		}
		chat, err := c.addChat(ctx, bots[0], fields{"userIds": []imbot.ID{bots[1], v1}})
		if err == nil {
			err = c.addGuest(ctx, bots[0], chat)
		}
		if err != nil {
			return stage{}, err
		}
		if _, err := c.question(ctx, "\nThere is a new chat \""+botName+"\". Write a message into it that mentions its bot \""+botNameV1+
			"\" with @ and says hello. Then press Enter. "); err != nil {
			return stage{}, notAsked("nobody answered")
		}
		posts := c.mailbox.await(ctx, c.listen.patience, func(posts []post) bool {
			return slices.ContainsFunc(posts, func(p post) bool { return p.v1 && isMessage(p) }) && told(posts) == 2
		})
		return stage{posts}, nil
	})
}

// told is how many bots of the second generation were told of the message.
func told(posts []post) int {
	bots := map[string]bool{}
	for _, p := range posts {
		if isSecond(p) && isMessage(p) {
			bots[p.bot] = true
		}
	}
	return len(bots)
}

func isMessage(p post) bool { return strings.HasSuffix(p.event, "MESSAGEADD") }

func isSecond(p post) bool { return !p.v1 }

// listened are the posts of the stage that fit.
func (c *check) listened(ctx context.Context, fits func(post) bool) ([]post, error) {
	s, err := c.stage(ctx)
	if err != nil {
		return nil, err
	}
	fitting := slices.DeleteFunc(slices.Clone(s.posts), func(p post) bool { return !fits(p) })
	if len(fitting) == 0 && len(s.posts) == 0 {
		return nil, notAsked("nothing was posted to the address of -listen")
	}
	return fitting, nil
}

func askPosts(ctx context.Context, c *check) (seen, error) {
	posts, err := c.listened(ctx, isSecond)
	return seen{assumed: len(posts) > 0}, err
}

func askPostForm(ctx context.Context, c *check) (seen, error) {
	posts, err := c.listened(ctx, isSecond)
	if err == nil && len(posts) == 0 {
		err = notAsked("nothing was posted to a bot of the second generation")
	}
	return seen{assumed: !slices.ContainsFunc(posts, func(p post) bool { return !p.form })}, err
}

func askPostHeaders(ctx context.Context, c *check) (seen, error) {
	posts, err := c.listened(ctx, func(post) bool { return true })
	if err == nil && slices.ContainsFunc(posts, func(p post) bool { return p.signed }) {
		return seen{note: "one sounds like a proof, unless something between here and the portal has added it"}, nil
	}
	return seen{assumed: true}, err
}

func askApplicationToken(ctx context.Context, c *check) (seen, error) {
	posts, err := c.listened(ctx, isSecond)
	if err == nil && len(posts) == 0 {
		err = notAsked("nothing was posted to a bot of the second generation")
	}
	if err != nil {
		return seen{}, err
	}
	return seen{posts[0].token == tokenCustom, note(posts[0].token)}, nil
}

func askPostsPerBot(ctx context.Context, c *check) (seen, error) {
	posts, err := c.listened(ctx, func(p post) bool { return isSecond(p) && isMessage(p) })
	if err == nil && len(posts) == 0 {
		err = notAsked("no message was posted to a bot of the second generation")
	}
	return seen{told(posts) == 2, note(fmt.Sprintf("%d of 2 were told", told(posts)))}, err
}

// v1Message is the post of the person's message to the bot of the first generation.
func (c *check) v1Message(ctx context.Context) (post, error) {
	posts, err := c.listened(ctx, func(p post) bool { return p.v1 && isMessage(p) })
	if err == nil && len(posts) == 0 {
		err = notAsked("no message was posted to the bot of the first generation; was it mentioned?")
	}
	if err != nil {
		return post{}, err
	}
	return posts[0], nil
}

func askMentionCut(ctx context.Context, c *check) (seen, error) {
	p, err := c.v1Message(ctx)
	return seen{assumed: !p.mention}, err
}

func askMessageOriginal(ctx context.Context, c *check) (seen, error) {
	p, err := c.v1Message(ctx)
	return seen{assumed: p.original}, err
}
