module github.com/imbot-go/imbot

go 1.25.0
