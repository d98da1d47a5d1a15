package imbot

// ServeListener is what is behind Serve, so that a test needs no port.
var ServeListener = serve
