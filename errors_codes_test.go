package imbot_test

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// protocolCodes are the codes of the portal's core and of the token server,
// which no method lists.
const protocolCodes = `
	QUERY_LIMIT_EXCEEDED OPERATION_TIME_LIMIT OVERLOAD_LIMIT INTERNAL_SERVER_ERROR ERROR_UNEXPECTED_ANSWER
	CONNECTION_ERROR expired_token invalid_token NO_AUTH_FOUND INVALID_CREDENTIALS authorization_error
	insufficient_scope user_access_error ACCESS_DENIED access_denied APPLICATION_NOT_FOUND ERROR_OAUTH NOT_INSTALLED
	WRONG_AUTH_TYPE WRONG_LICENSE ALLOWED_ONLY_INTRANET_USER PAYMENT_REQUIRED PORTAL_DELETED
	METHOD_CONFIRM_WAITING METHOD_CONFIRM_DENIED INVALID_REQUEST ERROR_METHOD_NOT_FOUND
	ERROR_BATCH_METHOD_NOT_ALLOWED ERROR_BATCH_LENGTH_EXCEEDED ERROR_MANIFEST_IS_NOT_AVAILABLE
	ERROR_ARGUMENT INVALID_ARG_VALUE 100 160 MAIN_CONTROLLER_22001 ERROR_NOT_FOUND NOT_FOUND ERROR_EVENT_NOT_FOUND
	ERROR_UNSUPPORTED_PROTOCOL ERROR_WRONG_HANDLER_URL ERROR_HANDLER_URL_MATCH ERROR_CORE 0 WRONG_ENCODING
	INTERNAL_WRONG_TRANSPORT INTERNAL_WRONG_HANDLER_CLASS INTERNAL_WRONG_FILE_HANDLER
	ACCESS_ERROR WRONG_REQUEST CODE_EMPTY session_failed
	invalid_grant invalid_client wrong_client invalid_request invalid_scope unauthorized_client
	unsupported_grant_type redirect_uri_mismatch bad_verification_code`

func TestErrorCodes(t *testing.T) {
	known := knownCodes(t)
	require.Greater(t, len(known), 100, "the spec files hardly name a code: has their shape changed?")
	constants := errorConstants(t)

	seen := map[string]string{}
	for _, c := range constants {
		code := strings.ToUpper(c.value)
		require.Empty(t, seen[code], "%s has the code of another constant", c.name)
		seen[code] = c.name
		require.Equal(t, codeName(code), c.name, "the name of %s", c.value)
		require.NotEmpty(t, c.comment, "%s has no comment", c.name)
		require.True(t, known[code], "%s has a code that no source names", c.name)
	}
	for code := range known {
		switch code {
		case "NOT_FOUND", "ERROR_NOT_FOUND": // ErrNotFound stands for both.
			require.NotContains(t, seen, code)
		default:
			require.NotEmpty(t, seen[code], "no constant for %s", code)
		}
	}
}

// knownCodes returns every code of the spec files and of [protocolCodes] in
// upper case, the spelling in which codes are compared.
func knownCodes(t *testing.T) map[string]bool {
	t.Helper()
	known := map[string]bool{}
	for _, code := range strings.Fields(protocolCodes) {
		known[strings.ToUpper(code)] = true
	}
	files, err := filepath.Glob("testdata/spec/*.json")
	require.NoError(t, err)
	for _, file := range files {
		data, err := os.ReadFile(file)
		require.NoError(t, err)
		var spec any
		require.NoError(t, json.Unmarshal(data, &spec))
		collectCodes(spec, false, known)
	}
	return known
}

// collectCodes adds the codes below v. A key "code" counts only among errors:
// parameters and BB codes use it for other things.
func collectCodes(v any, inErrors bool, codes map[string]bool) {
	switch v := v.(type) {
	case []any:
		for _, element := range v {
			collectCodes(element, inErrors, codes)
		}
	case map[string]any:
		for key, value := range v {
			text, isText := value.(string)
			switch {
			case key == "code" && inErrors && isText:
				codes[strings.ToUpper(text)] = true
			case key == "wire_code_may_be":
				for _, code := range value.([]any) {
					codes[strings.ToUpper(code.(string))] = true
				}
			default:
				collectCodes(value, inErrors || key == "error" || key == "errors" || key == "system_errors", codes)
			}
		}
	}
}

type errorConstant struct{ name, value, comment string }

// errorConstants reads the constants of type ErrorCode from the source.
func errorConstants(t *testing.T) []errorConstant {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "errors.go", nil, parser.ParseComments)
	require.NoError(t, err)
	var constants []errorConstant
	for _, decl := range file.Decls {
		group, ok := decl.(*ast.GenDecl)
		if !ok || group.Tok != token.CONST {
			continue
		}
		for _, spec := range group.Specs {
			constant := spec.(*ast.ValueSpec)
			typ, ok := constant.Type.(*ast.Ident)
			require.True(t, ok && typ.Name == "ErrorCode", "%s is not an ErrorCode", constant.Names[0].Name)
			value, err := strconv.Unquote(constant.Values[0].(*ast.BasicLit).Value)
			require.NoError(t, err)
			constants = append(constants, errorConstant{constant.Names[0].Name, value, constant.Comment.Text()})
		}
	}
	return constants
}

// codeName is the rule for names: Err and the code in Go spelling, without an
// ERROR at either end.
func codeName(code string) string {
	initialisms := map[string]string{
		"ID": "ID", "URL": "URL", "URI": "URI", "HTTPS": "HTTPS", "IM": "IM", "JS": "JS", "OAUTH": "OAuth", "IFRAME": "IFrame",
	}
	code = strings.TrimSuffix(strings.TrimPrefix(code, "ERROR_"), "_ERROR")
	name := "Err"
	for word := range strings.SplitSeq(code, "_") {
		if known, ok := initialisms[word]; ok {
			name += known
			continue
		}
		name += word[:1] + strings.ToLower(word[1:])
	}
	return name
}
