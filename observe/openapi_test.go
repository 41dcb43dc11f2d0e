package observe

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/headcount-go/headcount/observe/wire"
)

var update = flag.Bool("update", false, "write openapi.json from what the handlers are made of")

type object = map[string]any

// A describer makes schemas of the types that the handlers read and write.
type describer struct{ schemas object }

// schema gives the schema of a type; that of a struct is a reference.
func (d *describer) schema(t reflect.Type) object {
	switch t {
	case reflect.TypeFor[time.Time]():
		return object{"type": "string", "format": "date-time"}
	case reflect.TypeFor[wire.Value]():
		return object{"oneOf": []any{object{"type": "integer", "minimum": 0}, object{"const": wire.UnlimitedWord}}}
	case reflect.TypeFor[wire.Status]():
		words := slices.Sorted(slices.Values(wire.Statuses()))
		return object{"type": "string", "enum": words}
	}
	switch t.Kind() {
	case reflect.Pointer:
		return d.schema(t.Elem())
	case reflect.Slice:
		return object{"type": "array", "items": d.schema(t.Elem())}
	case reflect.String:
		return object{"type": "string"}
	case reflect.Bool:
		return object{"type": "boolean"}
	case reflect.Int, reflect.Int64, reflect.Uint64:
		return object{"type": "integer"}
	case reflect.Float64:
		return object{"type": "number"}
	case reflect.Struct:
		name := strings.ToUpper(t.Name()[:1]) + t.Name()[1:]
		if _, known := d.schemas[name]; !known {
			d.schemas[name] = object{} // it may refer to itself
			d.schemas[name] = d.structure(t)
		}
		return object{"$ref": "#/components/schemas/" + name}
	}
	panic("no schema for " + t.String())
}

func (d *describer) structure(t reflect.Type) object {
	properties, required := object{}, []string{}
	for f := range t.Fields() {
		if !f.IsExported() {
			continue
		}
		name, rest, _ := strings.Cut(f.Tag.Get("json"), ",")
		s := d.schema(f.Type)
		if strings.Contains(rest, "string") {
			s = object{"type": "string", "pattern": "^[0-9]+$"}
		}
		if doc := f.Tag.Get("doc"); doc != "" {
			s["description"] = doc
		}
		properties[name] = s
		if !strings.Contains(rest, "omit") {
			required = append(required, name)
		}
	}
	return object{"type": "object", "properties": properties, "required": required, "additionalProperties": false}
}

// describe makes the whole description from the list of operations.
func describe() []byte {
	d := &describer{schemas: object{}}
	problemAnswer := object{"description": "An error", "content": object{"application/problem+json": object{"schema": d.schema(reflect.TypeFor[problem]())}}}
	paths := object{}
	for _, o := range operations {
		kind := "application/json"
		if o.stream {
			kind = "text/event-stream"
		}
		op := object{
			"summary": o.summary,
			"responses": object{
				"200":     object{"description": "OK", "content": object{kind: object{"schema": d.schema(reflect.TypeOf(o.response))}}},
				"default": problemAnswer,
			},
		}
		if o.change {
			op["description"] = "Answered with 403 where the program does not allow changes."
		}
		parameters := []any{}
		for _, q := range o.query {
			schema := object{"type": "string"}
			if q.number {
				schema = object{"type": "integer"}
			}
			parameters = append(parameters, object{"name": q.name, "in": "query", "description": q.doc, "required": q.required, "schema": schema})
		}
		if o.stream {
			parameters = append(parameters, object{"name": "Last-Event-ID", "in": "header", "description": "go on after this id", "required": false, "schema": object{"type": "string"}})
		}
		if len(parameters) > 0 {
			op["parameters"] = parameters
		}
		if o.request != nil {
			op["requestBody"] = object{"required": true, "content": object{"application/json": object{"schema": d.schema(reflect.TypeOf(o.request))}}}
		}
		at := "/" + o.path
		if paths[at] == nil {
			paths[at] = object{}
		}
		paths[at].(object)[strings.ToLower(o.method)] = op
	}
	paths["/openapi.json"] = object{"get": object{"summary": "This description", "responses": object{"200": object{"description": "OK", "content": object{"application/json": object{}}}}}}
	whole := object{
		"openapi": "3.1.0",
		"info": object{
			"title": "Headcount observe", "version": "1",
			"description": "Supervisors, their limits and their children, while the program runs. Ids are strings, since they pass what a number in JavaScript can hold.",
			"license":     object{"name": "Apache-2.0", "identifier": "Apache-2.0"},
		},
		"servers":  []any{object{"url": ".", "description": "api/v1/ below wherever the page is mounted"}},
		"security": []any{object{}, object{"bearer": []any{}}, object{"basic": []any{}}, object{"certificate": []any{}}},
		"paths":    paths,
		"components": object{
			"schemas": d.schemas,
			"securitySchemes": object{
				"bearer":      object{"type": "http", "scheme": "bearer"},
				"basic":       object{"type": "http", "scheme": "basic", "description": "the token as the password, with any user name"},
				"certificate": object{"type": "mutualTLS"},
			},
		},
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(whole); err != nil {
		panic(err)
	}
	return b.Bytes()
}

// The file is what go test -run OpenAPIFileDescribes -update makes. So each route, parameter and field is in it, and nothing else is.
func TestOpenAPIFileDescribesWhatTheHandlersAreMadeOf(t *testing.T) {
	want := describe()
	if *update {
		if err := os.WriteFile("openapi.json", want, 0o644); err != nil {
			t.Fatal(err)
		}
		openAPI = want
	}
	if !bytes.Equal(want, openAPI) {
		t.Error("openapi.json is not what the handlers are made of: go test ./observe -run OpenAPIFileDescribes -update")
	}
}

// conforms checks a value of JSON against a schema of the file.
func conforms(schemas, schema object, value any, at string) error {
	if ref, ok := schema["$ref"].(string); ok {
		schema = schemas[strings.TrimPrefix(ref, "#/components/schemas/")].(object)
	}
	if choice, ok := schema["oneOf"].([]any); ok {
		if _, number := value.(float64); number || value == choice[1].(object)["const"] {
			return nil
		}
		return fmt.Errorf("%s is %v", at, value)
	}
	wrong := fmt.Errorf("%s is %T, want %v", at, value, schema["type"])
	switch schema["type"] {
	case "string":
		s, ok := value.(string)
		if !ok {
			return wrong
		}
		if words, ok := schema["enum"].([]any); ok && !slices.Contains(words, any(s)) {
			return fmt.Errorf("%s is %q, which is none of %v", at, s, words)
		}
	case "boolean":
		if _, ok := value.(bool); !ok {
			return wrong
		}
	case "integer", "number":
		if _, ok := value.(float64); !ok {
			return wrong
		}
	case "array":
		list, ok := value.([]any)
		if !ok {
			return wrong
		}
		for i, v := range list {
			if err := conforms(schemas, schema["items"].(object), v, fmt.Sprintf("%s[%d]", at, i)); err != nil {
				return err
			}
		}
	case "object":
		fields, ok := value.(object)
		if !ok {
			return wrong
		}
		properties := schema["properties"].(object)
		for _, name := range schema["required"].([]any) {
			if _, ok := fields[name.(string)]; !ok {
				return fmt.Errorf("%s has no %s", at, name)
			}
		}
		for name, v := range fields {
			property, ok := properties[name].(object)
			if !ok {
				return fmt.Errorf("%s has %s, which the description has not", at, name)
			}
			if err := conforms(schemas, property, v, at+"."+name); err != nil {
				return err
			}
		}
	}
	return nil
}
