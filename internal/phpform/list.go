package phpform

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
)

// List reads what should be a list: PHP makes an object of a list with
// holes and of a map, and [] of an empty map; null is no list. The order on the
// wire is kept.
func List[T any](data []byte) ([]T, error) {
	list, _, err := Keyed[T](data)
	return list, err
}

// Keyed is List with the keys of an object.
func Keyed[T any](data []byte) (list []T, keys []string, err error) {
	if len(data) == 0 || data[0] != '{' {
		err := json.Unmarshal(data, &list)
		if err == nil && list == nil {
			err = errors.New("the result is null")
		}
		return list, nil, err
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	if _, err := dec.Token(); err != nil {
		return nil, nil, err
	}
	for dec.More() {
		var v T
		key, err := dec.Token()
		if err != nil {
			return nil, nil, err
		}
		if err := dec.Decode(&v); err != nil {
			return nil, nil, err
		}
		list, keys = append(list, v), append(keys, fmt.Sprint(key))
	}
	return list, keys, nil
}
