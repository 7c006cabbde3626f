"""What it costs to talk, over a long run: time and memory."""
