module github.com/imbot-go/imbot/porting

go 1.25.0

replace (
	github.com/bitrix24/b24gosdk => ./testdata/b24gosdk
	github.com/imbot-go/imbot => ../
)

require (
	github.com/bitrix24/b24gosdk v0.2.0
	github.com/imbot-go/imbot v0.0.0-00010101000000-000000000000
	github.com/stretchr/testify v1.12.1
)

require (
	github.com/go-resty/resty/v2 v2.17.2 // indirect
	go.yaml.in/yaml/v3 v3.0.5 // indirect
	golang.org/x/net v0.43.0 // indirect
	golang.org/x/oauth2 v0.36.0 // indirect
	golang.org/x/sync v0.21.0 // indirect
	golang.org/x/time v0.15.0 // indirect
)
