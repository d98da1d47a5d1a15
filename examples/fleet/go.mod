module github.com/imbot-go/imbot/examples/fleet

go 1.25.0

replace (
	github.com/imbot-go/imbot => ../../
	github.com/imbot-go/imbot/imbotbolt => ../../imbotbolt
	github.com/imbot-go/imbot/imbotpg => ../../imbotpg
)

require (
	github.com/imbot-go/imbot v0.0.0-00010101000000-000000000000
	github.com/imbot-go/imbot/imbotbolt v0.0.0-00010101000000-000000000000
	github.com/imbot-go/imbot/imbotpg v0.0.0-00010101000000-000000000000
	github.com/stretchr/testify v1.12.1
)

require (
	github.com/go-resty/resty/v2 v2.17.2 // indirect
	github.com/jackc/pgpassfile v1.0.0 // indirect
	github.com/jackc/pgservicefile v0.0.0-20240606120523-5a60cdf6a761 // indirect
	github.com/jackc/pgx/v5 v5.12.0 // indirect
	github.com/jackc/puddle/v2 v2.2.3 // indirect
	go.etcd.io/bbolt v1.5.0 // indirect
	go.yaml.in/yaml/v3 v3.0.5 // indirect
	golang.org/x/net v0.43.0 // indirect
	golang.org/x/oauth2 v0.36.0 // indirect
	golang.org/x/sync v0.22.0 // indirect
	golang.org/x/sys v0.45.0 // indirect
	golang.org/x/text v0.41.0 // indirect
	golang.org/x/time v0.15.0 // indirect
)
