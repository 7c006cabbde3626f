"""The same work in each peer's own idiom; a file a peer, to be judged by its users."""
