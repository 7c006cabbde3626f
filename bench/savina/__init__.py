"""Savina's classics as reactor programs, one short file each."""
