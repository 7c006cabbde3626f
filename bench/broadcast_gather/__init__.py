"""Broadcast and gather: one object to N actors, and an answer of each."""
