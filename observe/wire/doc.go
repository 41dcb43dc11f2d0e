// Package wire has the types of the JSON API of package observe, version 1: what its handlers write and what
// observe/client reads. Their fields are described in openapi.json, from the doc tags here.
package wire
