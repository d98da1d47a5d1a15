package phpform

import "encoding/binary"

// Pack appends the value and what is below it to packed, exactly: unlike a form, it keeps empty
// maps, and keys with brackets. A map is the number of its keys plus one and each with its value, a
// text is a zero and its bytes.
func (n Node) Pack(packed []byte) []byte {
	if n.tree != nil && !n.IsMap() {
		return PackText(append(packed, 0), n.Get())
	}
	packed = binary.AppendUvarint(packed, uint64(n.Len())+1) //nolint:gosec // no length is negative
	for key, kid := range n.All() {
		packed = kid.Pack(PackText(packed, key))
	}
	return packed
}

// PackText appends the length of a text and the text.
func PackText(packed []byte, text string) []byte {
	return append(binary.AppendUvarint(packed, uint64(len(text))), text...)
}

// Unpack reads a map that [Node.Pack] has written, and nothing behind it. Limits are those of [Parse].
func Unpack(packed []byte) (Node, error) {
	if len(packed) > MaxSize {
		return Node{}, ErrSize
	}
	u := unpacker{rest: packed}
	u.begin(len(packed), 0)
	if err := u.value(0, 0); err != nil {
		return Node{}, err
	}
	if len(u.rest) > 0 || u.nodes[0].kids == isText {
		return Node{}, ErrSyntax
	}
	return u.finish(), nil
}

// UnpackText reads a text from the beginning of packed.
func UnpackText(packed []byte) (text, rest []byte, err error) {
	length, size := binary.Uvarint(packed)
	if size <= 0 || length > uint64(len(packed)-size) { //nolint:gosec // not negative
		return nil, nil, ErrSyntax
	}
	return packed[size:][:length], packed[size:][length:], nil
}

type unpacker struct {
	builder

	rest []byte
}

// value reads a value into an empty map, that is below depth names.
func (u *unpacker) value(at int32, depth int) error {
	kids, size := binary.Uvarint(u.rest)
	if size <= 0 {
		return ErrSyntax
	}
	u.rest = u.rest[size:]
	if kids == 0 {
		text, err := u.read()
		if err == nil {
			u.setText(at, text)
		}
		return err
	}
	for ; kids > 1; kids-- {
		key, err := u.read()
		switch {
		case err != nil:
			return err
		case depth > MaxDepth:
			return ErrDepth
		case len(u.nodes) > MaxKeys+MaxDepth:
			return ErrKeys
		case u.find(at, key) != 0:
			return ErrSyntax
		}
		if err := u.value(u.add(at, key), depth+1); err != nil {
			return err
		}
	}
	return nil
}

func (u *unpacker) read() (span, error) {
	text, rest, err := UnpackText(u.rest)
	if err != nil {
		return span{}, err
	}
	u.rest = rest
	return u.write(text), nil
}
