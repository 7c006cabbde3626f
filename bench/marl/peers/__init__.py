"""Other ways to let all agents act."""
