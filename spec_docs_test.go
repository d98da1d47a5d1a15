package imbot_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// serviceMethod is a method of a service with the comments a user reads.
type serviceMethod struct {
	name, service       string
	comment, forService string
}

// serviceMethods reads the methods of the services from the source, by the
// name of their request type, and the name of each type that is a request.
func serviceMethods(t *testing.T) (methods map[string]serviceMethod, requests map[string]string) {
	t.Helper()
	return serviceMethodsIn(t, ".")
}

func serviceMethodsIn(t *testing.T, folder string) (methods map[string]serviceMethod, requests map[string]string) {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(folder, "*.go"))
	require.NoError(t, err)
	methods, requests = map[string]serviceMethod{}, map[string]string{}
	types := map[string]string{}
	var funcs []*ast.FuncDecl
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments)
		require.NoError(t, err)
		for _, decl := range file.Decls {
			switch decl := decl.(type) {
			case *ast.GenDecl:
				if decl.Tok == token.TYPE && len(decl.Specs) == 1 {
					types[decl.Specs[0].(*ast.TypeSpec).Name.Name] = decl.Doc.Text()
				}
			case *ast.FuncDecl:
				if decl.Recv != nil {
					funcs = append(funcs, decl)
				}
			}
		}
	}
	for _, f := range funcs {
		receiver := typeName(f.Recv.List[0].Type)
		if f.Name.Name == "Method" && strings.HasSuffix(receiver, "Request") {
			literal := f.Body.List[0].(*ast.ReturnStmt).Results[0].(*ast.BasicLit)
			requests[receiver] = strings.Trim(literal.Value, `"`)
		}
		if strings.HasSuffix(receiver, "Service") && f.Name.IsExported() && !slices.Contains([]string{"All", "Stream", "UploadFrom"}, f.Name.Name) && receiver+f.Name.Name != "MessageServiceHistory" { // which call others
			params := f.Type.Params.List
			request := typeName(params[len(params)-1].Type)
			methods[request] = serviceMethod{f.Name.Name, receiver, f.Doc.Text(), types[receiver]}
		}
	}
	return methods, requests
}

func typeName(e ast.Expr) string {
	if star, ok := e.(*ast.StarExpr); ok {
		e = star.X
	}
	if name, ok := e.(*ast.Ident); ok {
		return name.Name
	}
	return ""
}

func TestSpecKnowsEveryRequest(t *testing.T) {
	methods, requests := serviceMethods(t)
	all := wrapped()
	require.Len(t, requests, len(all), "a request type stands in no test")
	for name, method := range requests {
		require.Equal(t, all[method].request.Name(), name)
		m := methods[name]
		require.Equal(t, strings.TrimSuffix(m.service, "Service")+m.name+"Request", name, "the name of the request type")
		require.Contains(t, m.comment, "REST method: "+method+".", m.name)
		require.Equal(t, all[method].repeatable, strings.Contains(m.comment, "Repeatable. REST method:"), "%s: what its comment says about repeating", m.name)
	}
}

// TestSpecPages holds that the comment of every method ends with its page in
// the vendor's documentation.
func TestSpecPages(t *testing.T) {
	methods, _ := serviceMethods(t)
	forEachWrapped(t, func(t *testing.T, m specMethod, w wrapping) {
		page, found := strings.CutSuffix(m.Doc, ".md") // the source of the page
		require.True(t, found, m.Doc)
		doc := methods[w.request.Name()]
		require.True(t, strings.HasSuffix(doc.comment, "\nPage: "+page+".html\n"), "%s.%s: its last line should name %s.html", doc.service, doc.name, page)
	})
}

// TestSpecErrors holds that every error code of a method has a constant, and
// that the comment of the method names it. Codes that all methods of a service
// share may stand in the comment of the service.
func TestSpecErrors(t *testing.T) {
	names := map[string]string{}
	for _, c := range errorConstants(t) {
		names[strings.ToUpper(c.value)] = c.name
	}
	methods, _ := serviceMethods(t)
	link := regexp.MustCompile(`\[(Err\w+)\]`)
	shared := map[string]bool{"WRONG_AUTH_TYPE": true, "ACCESS_DENIED": true, "BOT_ID_ERROR": true, "APP_ID_ERROR": true}
	sentinels := map[string]bool{"ErrNotFound": true, "ErrOutcomeUnknown": true, "ErrNotAnswered": true}

	forEachWrapped(t, func(t *testing.T, m specMethod, w wrapping) {
		doc := methods[w.request.Name()]
		possible := map[string]bool{}
		for _, e := range m.Errors {
			if strings.Contains(e.When, "DIALOG_ID alias") || strings.Contains(e.When, "DIALOG_ID sent but malformed") {
				continue // of a parameter that the request does not have
			}
			for _, code := range append(e.Others, e.Code) {
				name := names[strings.ToUpper(code)]
				require.NotEmpty(t, name, "no constant for %s", code)
				possible[name] = true
				comment := doc.comment
				if shared[code] {
					comment += doc.forService
				}
				require.Contains(t, comment, "["+name+"]", "%s.%s: %s", doc.service, doc.name, e.When)
			}
		}
		for _, found := range link.FindAllStringSubmatch(doc.comment, -1) {
			require.True(t, possible[found[1]] || sentinels[found[1]], "%s.%s names %s, which the method never fails with", doc.service, doc.name, found[1])
		}
	})
}
