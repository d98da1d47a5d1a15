package imbot

import "encoding/json"

// Menu is a set of items in the context menu of a message. Its limit is that of
// a [Keyboard].
//
// The empty Menu removes the menu of a message in [MessageService.Update];
// everywhere else it is refused.
type Menu struct {
	Items []MenuItem

	rest string
}

// MenuItem is one item of a [Menu]. Text and Action are required. The portal
// stores the text escaped for HTML, and that is how it comes back.
type MenuItem struct {
	Text     string
	Action   ButtonAction
	Context  ButtonContext // default ButtonContextAll
	Disabled Flag          // default No; Yes: cannot be chosen

	rest string
}

// MarshalJSON writes the form that the portal takes; the empty menu is "N".
func (m Menu) MarshalJSON() ([]byte, error) {
	if m.empty() {
		return []byte(removed), nil
	}
	entries := make([]json.RawMessage, len(m.Items))
	for i, item := range m.Items {
		entry, err := wireButton{Text: item.Text, Context: item.Context, Disabled: item.Disabled}.marshal(item.Action, item.rest)
		if err != nil {
			return nil, err
		}
		entries[i] = entry
	}
	return marshalList("ITEMS", entries, m.rest)
}

// UnmarshalJSON reads every form that the portal takes or gives: an object with
// ITEMS, a bare list, a JSON string of either, "N", "", null or [].
func (m *Menu) UnmarshalJSON(data []byte) error {
	entries, rest, err := richList(data, "ITEMS")
	if err != nil {
		return err
	}
	*m = Menu{}
	for _, entry := range entries {
		var o object
		if json.Unmarshal(entry, &o) != nil || o == nil {
			continue // the portal skips it, too
		}
		item := MenuItem{Text: o.take("TEXT"), Action: o.takeAction(), Context: ButtonContext(o.take("CONTEXT")), Disabled: o.takeFlag("DISABLED")}
		item.rest = o.rest()
		m.Items = append(m.Items, item)
	}
	if !m.empty() {
		m.rest = rest.rest()
	}
	return nil
}

func (m *Menu) empty() bool { return len(m.Items) == 0 }

func (m *Menu) check() error {
	if m == nil {
		return nil
	}
	for _, item := range m.Items {
		if e := checkAll(
			checkButton(ErrMenu, "MENU", item.Text, item.Action, item.rest),
			checkContext("MENU", item.Context),
			checkFlag("MENU: DISABLED", item.Disabled),
		); e != nil {
			return e
		}
	}
	return nil
}
