package world

// Doubt is a fact about portals that no document settles. Package imbottest says what each is.
type Doubt string

// The doubts, by the ids under which a real portal is asked about them.
const (
	DoubtV2InBatch         Doubt = "v2-in-batch"
	DoubtBatchReferences   Doubt = "batch-references"
	DoubtTimeNumbers       Doubt = "time-numbers"
	DoubtOperating         Doubt = "operating"
	DoubtBatchOperating    Doubt = "batch-operating"
	DoubtLimitHeaders      Doubt = "limit-headers"
	DoubtStatusAuth        Doubt = "status-auth"
	DoubtStatusScope       Doubt = "status-scope"
	DoubtStatusMethod      Doubt = "status-method"
	DoubtTemplateID        Doubt = "templateid"
	DoubtTemplateIDUpper   Doubt = "templateid-upper"
	DoubtUUIDMapEmpty      Doubt = "uuidmap-empty"
	DoubtFlagText          Doubt = "flag-text"
	DoubtColourSpelling    Doubt = "colour-spelling"
	DoubtTextFieldEnabled  Doubt = "text-field-enabled"
	DoubtLastMessageViews  Doubt = "last-message-views"
	DoubtPropertiesPartial Doubt = "properties-partial"
	DoubtBackgroundNull    Doubt = "background-null"
	DoubtRegisterAgain     Doubt = "register-again"
	DoubtUnknownBotType    Doubt = "unknown-bot-type"
	DoubtTextCut           Doubt = "text-cut"
	DoubtEntitiesDecoded   Doubt = "entities-decoded"
	DoubtMeKept            Doubt = "me-kept"
	DoubtLinksWrapped      Doubt = "links-wrapped"
	DoubtSQLWords          Doubt = "sql-words"
	DoubtEmptyDeletes      Doubt = "empty-deletes"
	DoubtKeyboardOfUpdate  Doubt = "keyboard-of-update"
	DoubtChatFirstMessage  Doubt = "chat-first-message"
	DoubtFileNameUnique    Doubt = "file-name-unique"
	DoubtFileCodes         Doubt = "file-codes"
	DoubtFileObject        Doubt = "file-object"
	DoubtBuiltInCommands   Doubt = "built-in-commands"
	DoubtFlagBool          Doubt = "flag-bool"
	DoubtPostHeaders       Doubt = "post-headers"
	DoubtEmptyList         Doubt = "empty-list"
	DoubtUserList          Doubt = "user-list"
	DoubtQueueOffset       Doubt = "queue-offset"
	DoubtOwnJoin           Doubt = "own-join"
	DoubtV1ToFetch         Doubt = "v1-to-fetch"
	DoubtSharedOwner       Doubt = "shared-owner"
	DoubtApplicationToken  Doubt = "application-token"
	DoubtV2Posts           Doubt = "v2-posts"
	DoubtPostsPerBot       Doubt = "posts-per-bot"
	DoubtPostForm          Doubt = "post-form"
	DoubtMentionCut        Doubt = "mention-cut"
	DoubtMessageOriginal   Doubt = "message-original"
)

// Differs reports whether the portal behaves in the other way.
func (w *World) Differs(about Doubt) bool { return w.Other[about] }
