package imbot

// DialogOf is the lane of a call with these parameters.
var DialogOf = dialogOf
